import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, type Prediction, predictionSchema, readJsonl, requireFile } from "@rag-ft/core";
import { intervalName, pairedDifference, wilsonInterval } from "@rag-ft/metrics";
import { z } from "zod";
import type { ReportConfig } from "./pipeline-config.js";
import { type Comparison, evenlySpaced, type Interval, type ReportData } from "./report.js";

/** Answers shown at the end of a run. */
const EXAMPLES = 3;

const recallSchema = z.looseObject({
  "document_recall/recall1": z.number(),
  "document_recall/recall4": z.number(),
  /** Files of earlier versions lack these. */
  "near_recall/recall1": z.number().optional(),
  "near_recall/recall4": z.number().optional(),
});
const retrieverTestSchema = z.looseObject({
  base: recallSchema,
  best: recallSchema,
  /** Files of earlier versions lack these. */
  bm25: recallSchema.optional(),
  hybrid: recallSchema.optional(),
  questions: z.number(),
});
const scoreSchema = z.record(z.string(), z.unknown());

async function readJson<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T> {
  await requireFile(path, what);
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path}: not ${what}. Run the stage that writes it again (--force --only …).`, { cause });
  }
}

const RETRIEVER_METRICS = [
  ["document_recall/recall1", "recall@1"],
  ["document_recall/recall4", "recall@4"],
  ["near_recall/recall1", "near@1"],
  ["near_recall/recall4", "near@4"],
] as const;

/** test-e2e's names of the figures shown, as they stand in `score.json`. */
const GENERATOR_METRICS: readonly { metric: string; pattern: RegExp }[] = [
  { metric: "ROUGE-L", pattern: /(^|\/)rouge_?-?l$/i },
  { metric: "F1", pattern: /(^|\/)f1$/i },
];

function figure(score: Record<string, unknown>, pattern: RegExp, path: string): [name: string, value: number] {
  const found = Object.entries(score).find(([key, value]) => pattern.test(key) && typeof value === "number");
  if (!found) throw new DataError(`${path}: no figure named like ${pattern}. Run test-e2e again (--force).`);
  return [found[0], found[1] as number];
}

/** A figure's 95 % interval as test-e2e writes it beside the figure; undefined in files of earlier versions. */
function intervalOf(score: Record<string, unknown>, name: string): Interval | undefined {
  const value = score[intervalName(name)];
  if (!Array.isArray(value)) return undefined;
  const [low, high] = value;
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}

/** The interval of a share of questions, each of which was found or not. */
function shareInterval(share: number, questions: number): Interval {
  const { low, high } = wilsonInterval(Math.round(share * questions), questions);
  return [low, high];
}

/**
 * The interval of a figure's change, question by question. Only when the two tests' figures are the ones shown: a test of the
 * retriever alone may have been of other questions.
 */
function changeInterval(
  pairs: readonly (readonly [base: Prediction, tuned: Prediction])[],
  name: string,
  shown: { base: number; tuned: number },
): Interval | undefined {
  const values = pairs.flatMap(([base, tuned]) => {
    const [a, b] = [base.figures?.[name], tuned.figures?.[name]];
    return a === undefined || b === undefined ? [] : [{ a, b }];
  });
  if (values.length < 2) return undefined;
  const { low, high, mean_a, mean_b } = pairedDifference(
    values.map(({ a }) => a),
    values.map(({ b }) => b),
  );
  const same = Math.abs(mean_a - shown.base) < 1e-9 && Math.abs(mean_b - shown.tuned) < 1e-9;
  return same ? [low, high] : undefined;
}

async function readPredictions(folder: string): Promise<Prediction[]> {
  return readJsonl(join(folder, "test-predictions.jsonl"), predictionSchema, { what: "predictions of test-e2e" });
}

interface Tests {
  scores: Record<"base" | "tuned", Record<string, unknown>>;
  paths: Record<"base" | "tuned", string>;
  /** Questions that both tests asked: the two may have been given different test files. */
  pairs: (readonly [base: Prediction, tuned: Prediction])[];
  questions: number;
}

async function readTests(folders: Record<"base" | "tuned", string>): Promise<Tests> {
  const [base, tuned] = await Promise.all([readPredictions(folders.base), readPredictions(folders.tuned)]);
  const paths = { base: join(folders.base, "score.json"), tuned: join(folders.tuned, "score.json") };
  const scores = {
    base: await readJson(paths.base, scoreSchema, "test-e2e's scores"),
    tuned: await readJson(paths.tuned, scoreSchema, "test-e2e's scores"),
  };
  const byQuestion = new Map(base.map((row) => [row.question_id ?? row.question, row]));
  const pairs = tuned.flatMap((row) => {
    const twin = byQuestion.get(row.question_id ?? row.question);
    return twin ? [[twin, row] as const] : [];
  });
  return { scores, paths, pairs, questions: tuned.length };
}

function isMeasured(shown: { base?: number; tuned?: number }): shown is { base: number; tuned: number } {
  return shown.base !== undefined && shown.tuned !== undefined;
}

async function retrieverComparisons(folder: string, tests: Tests | undefined): Promise<Comparison[]> {
  const path = join(folder, "test.json");
  const test = await readJson(path, retrieverTestSchema, "train-retriever's test figures");
  const { base, best, bm25, hybrid, questions } = test;
  return RETRIEVER_METRICS.flatMap(([key, metric]): Comparison[] => {
    const shown = { base: base[key], tuned: best[key] };
    if (!isMeasured(shown)) return [];
    return [
      {
        part: "retriever",
        metric,
        ...shown,
        ...(bm25?.[key] === undefined ? {} : { bm25: bm25[key] }),
        ...(hybrid?.[key] === undefined ? {} : { hybrid: hybrid[key] }),
        baseInterval: shareInterval(shown.base, questions),
        tunedInterval: shareInterval(shown.tuned, questions),
        changeInterval: tests && changeInterval(tests.pairs, `test_retr/${key}`, shown),
        questions,
      },
    ];
  });
}

function generatorComparisons({ scores, paths, pairs, questions }: Tests): Comparison[] {
  return GENERATOR_METRICS.map(({ metric, pattern }) => {
    const [name, base] = figure(scores.base, pattern, paths.base);
    const [, tuned] = figure(scores.tuned, pattern, paths.tuned);
    return {
      part: "generator",
      metric,
      base,
      tuned,
      baseInterval: intervalOf(scores.base, name),
      tunedInterval: intervalOf(scores.tuned, name),
      changeInterval: changeInterval(pairs, name, { base, tuned }),
      questions,
    };
  });
}

/** Reads what the report shows from the stages' outputs. `folderOf` gives a stage's `output_dir` by its id. */
export async function readReportData(report: ReportConfig, folderOf: (id: string) => string): Promise<ReportData> {
  const tests =
    report.base !== undefined && report.tuned !== undefined
      ? await readTests({ base: folderOf(report.base), tuned: folderOf(report.tuned) })
      : undefined;
  const examples = (tests?.pairs ?? []).map(([base, tuned]) => ({
    question: tuned.question,
    gold: tuned.gold_answer,
    base: base.generated_answer,
    tuned: tuned.generated_answer,
  }));
  return {
    comparisons: [
      ...(report.retriever === undefined ? [] : await retrieverComparisons(folderOf(report.retriever), tests)),
      ...(tests ? generatorComparisons(tests) : []),
    ],
    examples: evenlySpaced(examples.length, EXAMPLES).flatMap((index) => examples[index] ?? []),
    exampleQuestions: examples.length,
  };
}
