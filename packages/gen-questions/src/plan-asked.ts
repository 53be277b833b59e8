import { join } from "node:path";
import type { ChatTurn, Document, PlannedRequests, QuestionsRow, StagePlan } from "@rag-ft/core";
import {
  answerabilityRequest,
  answerableOf,
  EXTRACTIVE,
  isEmbeddingModelName,
  openCompletionStore,
  openForeignLanguage,
  planEmbeddings,
  planRequests,
  type RequestPlan,
  readDomainConfig,
  readPrices,
  STORE_NAME,
} from "@rag-ft/llm";
import { needsRetriever } from "./base-retriever.js";
import { type AskedQuestions, parseKind } from "./parse-kinds.js";
import type { RowToAsk } from "./plan-kinds.js";
import { questionRequest } from "./questioner.js";
import { type GenQuestionsSettings, QUESTIONS_A_PASSAGE } from "./settings.js";
import { splitBySource } from "./split-by-source.js";
import { splitHeldOut } from "./split-held-out.js";
import { isStandalone } from "./standalone.js";

/** Tokens of two questions with their labels; in the public Faire data, 37. */
const TYPICAL_REPLY = 40;

/** Tokens of a judge's verdict. */
const TYPICAL_VERDICT = 6;

/** Stands for a question that is not asked yet; as long as most are. */
const STAND_IN = "Which setting decides how long an unpaid order is kept before it lapses?";

/** The dialogue before a question that goes on from one. */
const STAND_IN_DIALOGUE: ChatTurn[] = [
  { speaker: "user", message: STAND_IN },
  {
    speaker: "assistant",
    message: "The setting is called order_lapse_days; without it, an unpaid order lapses after thirty days.",
  },
];

/** Passages in the order in which they would be asked about; undefined when that set is not made. */
export interface PassagesToAsk {
  heldOut: readonly RowToAsk[] | undefined;
  /** In view of the held-out questions of this run, if it makes some. */
  train: ((heldOut: readonly QuestionsRow[]) => readonly RowToAsk[]) | undefined;
  /** The database that the base retriever searches. */
  documents: readonly Document[];
}

/** Adds the requests about a passage; returns its questions, as far as can be known before they are asked. */
type AddRequest = (row: RowToAsk, occurrence: number) => Promise<AskedQuestions>;

async function planSet(
  passages: readonly RowToAsk[],
  needed: number,
  occurrence: number,
  add: AddRequest,
): Promise<QuestionsRow[]> {
  const rows: QuestionsRow[] = [];
  for (const row of passages) {
    if (rows.length >= needed) break;
    const { questions, chat_history = row.chat_history } = await add(row, occurrence);
    if (questions.length > 0) rows.push({ ...row, chat_history, questions });
  }
  return rows;
}

/**
 * The vectors of a base retriever behind an API: the database's, and those of the questions, which are bought once for the filter and for mining. The
 * filter asks for a passage's questions in a request of their own.
 */
async function planSearches(
  settings: GenQuestionsSettings,
  documents: readonly Document[],
  sets: readonly (readonly QuestionsRow[])[],
): Promise<PlannedRequests[]> {
  const { embedding_model: model } = settings;
  if (model === undefined || !needsRetriever(settings) || !isEmbeddingModelName(model)) return [];
  const filters = settings.filters.includes("round-trip");
  const questions = filters
    ? sets.flatMap((rows) => rows.map((row) => row.questions))
    : sets.map((rows) => rows.flatMap((row) => row.questions));
  const texts = [documents.map(({ fmt_content }) => fmt_content), ...questions];
  return [await planEmbeddings({ model, prices: await readPrices(settings.prices), texts, standIns: true })];
}

/**
 * The requests for questions about these passages, each taken to give two that pass the filters unless a stored reply says otherwise.
 * What filters drop is made up for by more passages, which is not foreseen here.
 */
export async function planAsked(
  settings: GenQuestionsSettings,
  { heldOut, train, documents }: PassagesToAsk,
): Promise<StagePlan> {
  const standInsOf = ({ question_kind }: RowToAsk): AskedQuestions => {
    const single = question_kind === "follow_up" || question_kind === "two_passages";
    const questions = Array.from({ length: single ? 1 : QUESTIONS_A_PASSAGE }, () => STAND_IN);
    return { questions, ...(question_kind === "follow_up" ? { chat_history: STAND_IN_DIALOGUE } : {}) };
  };
  const store = await openCompletionStore(join(settings.save_dir, STORE_NAME), { readOnly: true });
  const plans: RequestPlan[] = [];
  let add: AddRequest = async (row) => standInsOf(row);
  if (settings.prompt_model !== EXTRACTIVE) {
    const domain = await readDomainConfig(settings.config);
    const common = {
      stage: "gen-questions",
      model: settings.prompt_model,
      store,
      prices: await readPrices(settings.prices),
      batch: settings.batch,
    };
    const requests = planRequests({ ...common, purpose: "questions", typicalReply: TYPICAL_REPLY });
    plans.push(requests);
    // Not measured by stored replies, which are those to requests for questions for the most part.
    const judge = settings.filters.includes("answerable")
      ? planRequests({ ...common, stage: "", purpose: "judge", typicalReply: TYPICAL_VERDICT })
      : undefined;
    if (judge) plans.push(judge);
    const languageOf = await openForeignLanguage(domain);
    add = async (row, occurrence) => {
      const gold = row.gold_docs[0];
      if (!gold) return { questions: [] };
      const language = languageOf(gold.page_content);
      const { messages, options } = questionRequest(domain, settings, row, occurrence, language);
      const stored = await requests.add(messages, options, occurrence);
      const asked = stored ? parseKind(stored.text, row.question_kind) : standInsOf(row);
      const alone =
        settings.filters.includes("standalone") && language === undefined && row.question_kind !== "follow_up";
      const questions = asked.questions.filter((question) => !alone || isStandalone(question));
      if (!judge) return { ...asked, questions };
      const kept: string[] = [];
      const inDialogue = { ...row, chat_history: asked.chat_history ?? row.chat_history };
      for (const question of questions) {
        const request = answerabilityRequest(domain, settings, inDialogue, question, language);
        const verdict = await judge.add(request.messages, request.options);
        if (!verdict || answerableOf(verdict.text)) kept.push(question);
      }
      return { ...asked, questions: kept };
    };
  }
  const files = new Map<string, readonly unknown[]>();
  const put = (name: string, rows: readonly QuestionsRow[]): unknown => files.set(join(settings.save_dir, name), rows);
  const half = (count: number): number => Math.ceil(count / QUESTIONS_A_PASSAGE);
  const bySource = settings.split_by === "source";
  let heldOutRows: readonly QuestionsRow[] = [];
  let trainRows: readonly QuestionsRow[] = [];
  if (heldOut) {
    const rows = await planSet(heldOut, half(settings.num_eval_test_data), 0, add);
    const { evaluation, test } = bySource ? splitBySource(rows) : splitHeldOut(rows);
    heldOutRows = rows;
    put("eval_w_q.jsonl", evaluation);
    put("test_w_q.jsonl", test);
  }
  if (train) {
    trainRows = await planSet(train(heldOutRows), half(settings.num_train_data), 1, add);
    put("train_w_q.jsonl", trainRows);
  }
  const vectors = await planSearches(settings, documents, [heldOutRows, trainRows]);
  return { requests: [...plans.map((plan) => plan.result()), ...vectors], files };
}
