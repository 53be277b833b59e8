import { dirname, join } from "node:path";
import type { QaRow, StagePlan } from "@rag-ft/core";
import {
  EXTRACTIVE,
  openCompletionStore,
  openForeignLanguage,
  planRequests,
  readDomainConfig,
  readPrices,
  STORE_NAME,
} from "@rag-ft/llm";
import { occurrences } from "./answer-all.js";
import { answerRequest, languageOfPassages } from "./answerer.js";
import type { Split } from "./find-splits.js";
import type { OpenQuestion } from "./flatten-questions.js";
import type { GenAnswersSettings } from "./settings.js";

/** A file's questions to answer. */
export interface AnswerWork {
  split: Split;
  questions: OpenQuestion[];
}

/** Where a run keeps what models said. */
export function storeFolder(work: readonly Pick<AnswerWork, "split">[]): string {
  return dirname(work[0]?.split.full ?? "");
}

/** Tokens of an answer of one to three sentences; in the public Faire data, whose answers run longer, 75. */
const TYPICAL_REPLY = 65;

/** Stands for an answer that is not there yet. */
const STAND_IN =
  "An unpaid order is kept for thirty days. After that it lapses, the goods are free again, and both the shop and the brand get a message that says so; the time is set under the account's payment options.";

/** The requests for answers to these questions. */
export async function planAnswers(settings: GenAnswersSettings, work: readonly AnswerWork[]): Promise<StagePlan> {
  const store = await openCompletionStore(join(storeFolder(work), STORE_NAME), { readOnly: true });
  const asks = settings.prompt_model !== EXTRACTIVE;
  const domain = await readDomainConfig(settings.config);
  const plan = planRequests({
    stage: "gen-answers",
    purpose: "answers",
    model: settings.prompt_model,
    typicalReply: TYPICAL_REPLY,
    store,
    prices: await readPrices(settings.prices),
    batch: settings.batch,
  });
  const languageOf = await openForeignLanguage(domain);
  const files = new Map<string, readonly unknown[]>();
  for (const { split, questions } of work) {
    const nth = occurrences(questions);
    const rows: QaRow[] = [];
    for (const [index, open] of questions.entries()) {
      const { messages, options } = answerRequest(
        domain,
        settings,
        open,
        nth[index] ?? 0,
        languageOfPassages(open, languageOf),
      );
      const stored = asks ? await plan.add(messages, options, nth[index]) : undefined;
      rows.push({ ...open, gold_answer: stored?.text || STAND_IN });
    }
    files.set(split.full, rows);
  }
  return { requests: asks ? [plan.result()] : [], files };
}
