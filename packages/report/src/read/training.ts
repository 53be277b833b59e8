import { join } from "node:path";
import { figureNamed } from "@rag-ft/metrics";
import { z } from "zod";
import { readRows, readValue } from "./optional-file.js";
import type { StageRecord } from "./stage-record.js";

const lineSchema = z.looseObject({ step: z.number() }).transform((line) => {
  const figures = Object.entries(line).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return { ...Object.fromEntries(figures), step: line.step } as TrainingLine;
});
const figuresSchema = z.record(z.string(), z.unknown()).transform(numbersOf);
const choiceSchema = z.looseObject({
  verdict: z.string(),
  metric: z.string().optional(),
  kept: z.looseObject({ step: z.number() }),
});
const testSchema = z.looseObject({
  base: figuresSchema,
  best: figuresSchema,
  /** Files of earlier versions lack these two. */
  bm25: figuresSchema.optional(),
  hybrid: figuresSchema.optional(),
  change: z.record(z.string(), z.looseObject({ ci95: z.tuple([z.number(), z.number()]).optional() })).optional(),
  questions: z.number(),
});
/** What training chose for searches by vectors and words. */
const hybridSchema = z.looseObject({
  bm25_weight: z.number(),
  over_dense: z.looseObject({ gain: z.number(), low: z.number(), high: z.number() }).optional(),
});

/** How much a reranker's score counts beside the search's, as its training chose. */
const rerankerSchema = z.looseObject({ rerank_weight: z.number(), rerank_top_n: z.number(), first_stage: z.string() });

/** A line of train.jsonl or eval.jsonl: figures at a step. */
export type TrainingLine = { step: number } & Record<string, number>;

/** What one training stage logged. */
export interface Training {
  record: StageRecord;
  steps: TrainingLine[];
  evaluations: TrainingLine[];
  /** The figure that chose the best checkpoint. */
  metric: { name: string; greaterIsBetter: boolean };
  /** What a training left, and why. */
  choice?: { verdict: string; kept: { step: number } };
  /** Base and best checkpoint on the test file, of a retriever; beside them BM25, and the best one's vectors with BM25. */
  test?: {
    base: Record<string, number>;
    best: Record<string, number>;
    bm25?: Record<string, number> | undefined;
    hybrid?: Record<string, number> | undefined;
    /** Best less base, with 95 % intervals, question by question. */
    change?: Record<string, { ci95?: [number, number] | undefined }> | undefined;
    questions: number;
  };
  /** What words add to the vectors on the eval questions. */
  hybrid?: z.infer<typeof hybridSchema>;
  reranker?: z.infer<typeof rerankerSchema>;
}

/** The entries that are numbers. */
export function numbersOf(values: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

/** The evaluation of the step that was kept: as training says, else the best figure's, the first of equals. */
export function bestEvaluation({
  evaluations,
  metric,
  choice,
}: Pick<Training, "evaluations" | "metric" | "choice">): TrainingLine | undefined {
  if (choice) return evaluations.find(({ step }) => step === choice.kept.step);
  const sign = metric.greaterIsBetter ? 1 : -1;
  let best: TrainingLine | undefined;
  for (const line of evaluations) {
    const value = line[metric.name];
    if (value === undefined) continue;
    if (best === undefined || sign * value > sign * (best[metric.name] as number)) best = line;
  }
  return best;
}

/** Reads the logs beside a training stage's record. */
export async function readTraining(record: StageRecord): Promise<Training> {
  const { folder, settings } = record;
  const lines = async (name: string): Promise<TrainingLine[]> =>
    (await readRows(join(folder, name), lineSchema as unknown as z.ZodType<TrainingLine>, "a log of training")) ?? [];
  const [steps, evaluations, test, choice, hybrid, reranker] = await Promise.all([
    lines("train.jsonl"),
    lines("eval.jsonl"),
    readValue(join(folder, "test.json"), testSchema, "figures of a test file"),
    readValue(join(folder, "choice.json"), choiceSchema, "choice of a training"),
    readValue(join(folder, "hybrid.json"), hybridSchema, "weight of BM25 beside a retriever (hybrid.json)"),
    readValue(join(folder, "reranker.json"), rerankerSchema, "weight of a reranker (reranker.json)"),
  ]);
  const { metric_for_best_model: chosen } = settings;
  // What chose by a part of the database is named after it.
  const name = choice?.metric ?? (typeof chosen === "string" ? chosen : "eval_loss");
  const metric = {
    name,
    greaterIsBetter: (figureNamed(name)?.better ?? (/loss$/.test(name) ? "less" : "greater")) === "greater",
  };
  return {
    record,
    steps,
    evaluations,
    metric,
    ...(test ? { test } : {}),
    ...(choice ? { choice } : {}),
    ...(hybrid ? { hybrid } : {}),
    ...(reranker ? { reranker } : {}),
  };
}
