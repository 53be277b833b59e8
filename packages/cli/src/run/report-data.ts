import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, type Prediction, predictionSchema, readJsonl, requireFile } from "@rag-ft/core";
import { z } from "zod";
import type { ReportConfig } from "./pipeline-config.js";
import { type AnswerExample, type Comparison, evenlySpaced, type ReportData } from "./report.js";

/** Answers shown at the end of a run. */
const EXAMPLES = 3;

const recallSchema = z.looseObject({
  "document_recall/recall1": z.number(),
  "document_recall/recall4": z.number(),
});
const retrieverTestSchema = z.looseObject({ base: recallSchema, best: recallSchema, questions: z.number() });
const scoreSchema = z.record(z.string(), z.unknown());

async function readJson<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T> {
  await requireFile(path, what);
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path}: not ${what}. Run the stage that writes it again (--force --only …).`, { cause });
  }
}

/** test-e2e's names of the figures shown, as they stand in `score.json`. */
const GENERATOR_METRICS: readonly { metric: string; pattern: RegExp }[] = [
  { metric: "ROUGE-L", pattern: /(^|\/)rouge_?-?l$/i },
  { metric: "F1", pattern: /(^|\/)f1$/i },
];

function figure(score: Record<string, unknown>, pattern: RegExp, path: string): number {
  const found = Object.entries(score).find(([key, value]) => pattern.test(key) && typeof value === "number");
  if (!found) throw new DataError(`${path}: no figure named like ${pattern}. Run test-e2e again (--force).`);
  return found[1] as number;
}

async function readPredictions(folder: string): Promise<Prediction[]> {
  return readJsonl(join(folder, "test-predictions.jsonl"), predictionSchema, { what: "predictions of test-e2e" });
}

/** Reads what the report shows from the stages' outputs. `folderOf` gives a stage's `output_dir` by its id. */
export async function readReportData(report: ReportConfig, folderOf: (id: string) => string): Promise<ReportData> {
  const comparisons: Comparison[] = [];
  let examples: AnswerExample[] = [];
  let exampleQuestions = 0;
  if (report.retriever !== undefined) {
    const path = join(folderOf(report.retriever), "test.json");
    const { base, best, questions } = await readJson(path, retrieverTestSchema, "train-retriever's test figures");
    for (const rank of [1, 4] as const) {
      const key = `document_recall/recall${rank}` as const;
      comparisons.push({
        part: "retriever",
        metric: `recall@${rank}`,
        base: base[key],
        tuned: best[key],
        questions,
      });
    }
  }
  if (report.base !== undefined && report.tuned !== undefined) {
    const folders = { base: folderOf(report.base), tuned: folderOf(report.tuned) };
    const [base, tuned] = await Promise.all([readPredictions(folders.base), readPredictions(folders.tuned)]);
    const paths = { base: join(folders.base, "score.json"), tuned: join(folders.tuned, "score.json") };
    const scores = {
      base: await readJson(paths.base, scoreSchema, "test-e2e's scores"),
      tuned: await readJson(paths.tuned, scoreSchema, "test-e2e's scores"),
    };
    for (const { metric, pattern } of GENERATOR_METRICS) {
      comparisons.push({
        part: "generator",
        metric,
        base: figure(scores.base, pattern, paths.base),
        tuned: figure(scores.tuned, pattern, paths.tuned),
        questions: tuned.length,
      });
    }
    // The two runs may have been given different test files: only questions that both answered are compared.
    const byQuestion = new Map(base.map((row) => [row.question, row]));
    const shared = tuned.flatMap((row) => {
      const twin = byQuestion.get(row.question);
      return twin
        ? [{ question: row.question, gold: row.gold_answer, base: twin.generated_answer, tuned: row.generated_answer }]
        : [];
    });
    exampleQuestions = shared.length;
    examples = evenlySpaced(shared.length, EXAMPLES).flatMap((index) => shared[index] ?? []);
  }
  return { comparisons, examples, exampleQuestions };
}
