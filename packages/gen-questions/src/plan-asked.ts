import { join } from "node:path";
import type { QuestionsRow, StagePlan } from "@rag-ft/core";
import {
  EXTRACTIVE,
  openCompletionStore,
  planRequests,
  type RequestPlan,
  readDomainConfig,
  readPrices,
  STORE_NAME,
} from "@rag-ft/llm";
import type { PassageRow } from "./choose-passages.js";
import { questionsOf } from "./question-schema.js";
import { questionRequest } from "./questioner.js";
import { type GenQuestionsSettings, QUESTIONS_A_PASSAGE } from "./settings.js";
import { splitHeldOut } from "./split-held-out.js";

/** Tokens of two questions with their labels; in the public Faire data, 37. */
const TYPICAL_REPLY = 40;

/** Stands for a question that is not asked yet; as long as most are. */
const STAND_IN = "Which setting decides how long an unpaid order is kept before it lapses?";

/** Passages in the order in which they would be asked about; undefined when that set is not made. */
export interface PassagesToAsk {
  heldOut: readonly PassageRow[] | undefined;
  train: readonly PassageRow[] | undefined;
}

type AddRequest = (row: PassageRow, occurrence: number) => Promise<string[]>;

async function planSet(
  passages: readonly PassageRow[],
  needed: number,
  occurrence: number,
  add: AddRequest,
): Promise<QuestionsRow[]> {
  const rows: QuestionsRow[] = [];
  for (const row of passages) {
    if (rows.length >= needed) break;
    const questions = await add(row, occurrence);
    if (questions.length > 0) rows.push({ ...row, questions });
  }
  return rows;
}

/** The requests for questions about these passages, each taken to give two unless a stored reply says otherwise. */
export async function planAsked(settings: GenQuestionsSettings, { heldOut, train }: PassagesToAsk): Promise<StagePlan> {
  const standIns = Array.from({ length: QUESTIONS_A_PASSAGE }, () => STAND_IN);
  const store = await openCompletionStore(join(settings.save_dir, STORE_NAME), { readOnly: true });
  let plan: RequestPlan | undefined;
  let add: AddRequest = async () => standIns;
  if (settings.prompt_model !== EXTRACTIVE) {
    const domain = await readDomainConfig(settings.config);
    const requests = planRequests({
      stage: "gen-questions",
      purpose: "questions",
      model: settings.prompt_model,
      typicalReply: TYPICAL_REPLY,
      store,
      prices: await readPrices(settings.prices),
      batch: settings.batch,
    });
    plan = requests;
    add = async (row, occurrence) => {
      const gold = row.gold_docs[0];
      if (!gold) return [];
      const { messages, options } = questionRequest(domain, settings, gold, occurrence);
      const stored = await requests.add(messages, options, occurrence);
      return stored ? questionsOf(stored.text) : standIns;
    };
  }
  const files = new Map<string, readonly unknown[]>();
  const put = (name: string, rows: readonly QuestionsRow[]): unknown => files.set(join(settings.save_dir, name), rows);
  const half = (count: number): number => Math.ceil(count / QUESTIONS_A_PASSAGE);
  if (heldOut) {
    const rows = await planSet(heldOut, half(settings.num_eval_test_data), 0, add);
    const { evaluation, test } = splitHeldOut(rows);
    put("eval_w_q.jsonl", evaluation);
    put("test_w_q.jsonl", test);
  }
  if (train) put("train_w_q.jsonl", await planSet(train, half(settings.num_train_data), 1, add));
  return { requests: plan ? [plan.result()] : [], files };
}
