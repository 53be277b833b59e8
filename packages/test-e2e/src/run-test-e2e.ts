import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type Document,
  type Prediction,
  type QaRow,
  readDocuments,
  readQa,
  type StageContext,
  type StageResult,
  UserError,
  withoutSecrets,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import {
  createRequestTally,
  type LanguageModel,
  openBill,
  openCompletionStore,
  openLanguageModel,
  STORE_NAME,
} from "@rag-ft/llm";
import {
  evaluateRetrieval,
  openIndex,
  openPassageEncoder,
  type PassageEncoder,
  type RetrievalEvaluation,
} from "@rag-ft/retrieval";
import { answerQuestions } from "./answer-questions.js";
import { judgeAnswers, judgeFigures } from "./judge-answers.js";
import { type OpenedGenerator, openGenerator, type TalliedContext } from "./open-generator.js";
import { generationFigures, remarks } from "./remarks.js";
import { reportTable } from "./report-table.js";
import { meanScores, scoreAnswer } from "./score-answer.js";
import type { TestE2eSettings } from "./settings.js";

/** Depths of the reference's recall. */
const RECALL_DEPTHS = [1, 4];

/** What the stage opens; tests put their own in. */
export interface TestE2eParts {
  openEncoder(settings: TestE2eSettings, context: StageContext): Promise<PassageEncoder>;
  openGenerator(settings: TestE2eSettings, context: TalliedContext): Promise<OpenedGenerator>;
  openJudge(settings: TestE2eSettings, context: TalliedContext): Promise<LanguageModel>;
}

export const defaultParts: TestE2eParts = {
  openEncoder: (settings, context) =>
    openPassageEncoder(settings.embedding_model_name_or_path, { ...context, device: settings.device }),
  openGenerator,
  openJudge: (settings, context) =>
    openLanguageModel(settings.judge_model.replace(/^openai:/, ""), {
      ...context,
      device: settings.device,
      requests: settings,
      folder: settings.output_dir,
    }),
};

async function retrieveForAll(
  settings: TestE2eSettings,
  context: StageContext,
  documents: readonly Document[],
  rows: readonly QaRow[],
  parts: TestE2eParts,
): Promise<RetrievalEvaluation> {
  const encoder = await parts.openEncoder(settings, context);
  try {
    const index = await openIndex(documents, encoder, { ...context, indexPath: settings.index_path });
    return await evaluateRetrieval({
      index,
      encoder,
      questions: rows,
      ks: RECALL_DEPTHS,
      depth: settings.embedding_max_num_to_retrieve,
      reporter: context.reporter,
      signal: context.signal,
    });
  } finally {
    await encoder.close();
  }
}

function prefixed(prefix: string, figures: Readonly<object>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}/${name}`, value as number]));
}

/**
 * The whole system on held-out questions.
 *
 * 1. Retrieve for every question from the full database. 2. Answer greedily from the best passages. 3. Score retrieval and
 * answers; ask the judge when wanted. 4. Write predictions, scores and settings. Answers and verdicts are kept in
 * `completions.jsonl` as they arrive, so that a stopped run is continued by the same command.
 */
export async function runTestE2e(
  settings: TestE2eSettings,
  context: StageContext,
  parts: TestE2eParts = defaultParts,
): Promise<StageResult> {
  const { reporter, signal } = context;
  const documents = await readDocuments(settings.document_path);
  const rows = (await readQa(settings.eval_data_path, reporter)).slice(0, settings.max_test_samples);
  await mkdir(settings.output_dir, { recursive: true }).catch((cause) => {
    throw new UserError(`${settings.output_dir}: cannot be made a folder. Give output_dir another path.`, { cause });
  });
  // Opened first, so that a wrong name or a missing key shows before the database is embedded.
  const store = await openCompletionStore(join(settings.output_dir, STORE_NAME));
  const tally = createRequestTally(await openBill({ purpose: "test-e2e", settings, store }));
  const { generator, format } = await parts.openGenerator(settings, { ...context, tally });
  let judge: LanguageModel | undefined;
  try {
    if (settings.gen_gpt4eval) judge = await parts.openJudge(settings, { ...context, tally });
    const retrieval = await retrieveForAll(settings, context, documents, rows, parts);
    const passages = retrieval.retrieved.map(({ documents: found }) =>
      found.slice(0, settings.embedding_max_num_to_retrieve),
    );
    const work = { store, tally, reporter, signal, concurrency: settings.max_concurrency };
    const { answers, reused, failures } = await answerQuestions(
      generator,
      rows.map((row, i) => ({ question: row.question, history: row.chat_history, passages: passages[i] ?? [] })),
      work,
    );
    if (reused > 0) reporter.info(`${reused} of ${rows.length} answers were taken from an earlier run.`);

    const scores = rows.map((row, i) => scoreAnswer(row.gold_answer, answers[i]?.text ?? "", passages[i] ?? []));
    const figures: Record<string, number> = {
      ...prefixed("test_retr", retrieval.figures),
      "test_retr/gold_not_in_database": retrieval.unanswerable,
      ...prefixed("test_gen", meanScores(scores)),
      ...prefixed("test_gen", generationFigures(answers)),
      num_questions: rows.length,
    };
    const judged =
      judge &&
      (await judgeAnswers(
        judge,
        rows.map((row, i) => ({
          question: row.question,
          answer: answers[i]?.text ?? "",
          gold: row.gold_docs,
          retrieved: passages[i] ?? [],
        })),
        { ...work, timeout_ms: settings.request_timeout * 1000, seed: settings.seed },
      ));
    if (judged) Object.assign(figures, prefixed("test_gen", judgeFigures(judged.judgements)));

    const predictions = rows.map((row, i): Prediction => {
      const { text = "", ...answer } = answers[i] ?? {};
      return {
        question: row.question,
        gold_docs: row.gold_docs,
        retrieved_docs: retrieval.retrieved[i]?.documents ?? [],
        gold_answer: row.gold_answer,
        generated_answer: text,
        chat_history: row.chat_history,
        retrieval_scores: retrieval.retrieved[i]?.scores ?? [],
        ...answer,
        scores: { ...scores[i], ...retrieval.scores[i] },
        ...(judged ? { judge: judged.judgements[i] } : {}),
      };
    });
    const path = (name: string): string => join(settings.output_dir, name);
    await writeJsonl(path("test-predictions.jsonl"), predictions);
    await writeJsonAtomic(path("all_args.json"), { ...withoutSecrets({ ...settings }), prompt_format: format });
    await writeJsonAtomic(path("score.json"), figures);
    const label = settings.label ?? basename(settings.qa_model_name_or_path);
    const lines = [
      reportTable([{ label, figures }]),
      ...remarks(figures, rows.length, failures),
      ...(judged?.problems ?? []),
      ...tally.lines(),
    ];
    return {
      outputs: ["test-predictions.jsonl", "score.json", "all_args.json"].map(path),
      figures,
      record: { requests: tally.counts },
      summary: lines.join("\n"),
    };
  } finally {
    await store.close();
    await judge?.close();
    await generator.close();
  }
}
