import { join } from "node:path";
import { type Document, documentKey, type Prediction, predictionSchema } from "@rag-ft/core";
import { z } from "zod";
import { readRows, readValue } from "./optional-file.js";
import type { StageRecord } from "./stage-record.js";
import { numbersOf } from "./training.js";

const scoreSchema = z.record(z.string(), z.unknown());
const judgeSchema = z.looseObject({ verdict: z.string(), reply: z.string().default("") });

/** A figure with its 95 % interval, where one is given. */
export interface Figure {
  value: number;
  interval?: readonly [low: number, high: number];
}

/** A question as one system answered it. */
export interface Answered {
  /** Equal for the same question with the same gold passages, whichever system answered. */
  key: string;
  prediction: Prediction;
  /** Rank of each gold passage among the retrieved ones, counted from 1; null: not retrieved. */
  goldRanks: (number | null)[];
  /** Figures of this answer, such as `rougeL` and `f1`. */
  scores: Record<string, number>;
  judge?: { verdict: string; reply: string };
}

/** One tested system: what a test stage wrote to its folder. */
export interface System {
  label: string;
  folder: string;
  record: StageRecord;
  figures: ReadonlyMap<string, Figure>;
  /** Empty when the test is of the retriever alone. */
  answers: Answered[];
}

/** Suffix of an interval's name beside its figure's in score.json. */
const INTERVAL = "_ci95";

function intervalIn(value: unknown): Figure["interval"] {
  if (!Array.isArray(value)) return undefined;
  const [low, high] = value;
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}

/** The figures of a score.json: numbers by name, each with `<name>_ci95` as its interval. */
export function figuresOf(score: Readonly<Record<string, unknown>>): Map<string, Figure> {
  return new Map(
    Object.entries(numbersOf(score)).map(([name, value]) => {
      const interval = intervalIn(score[`${name}${INTERVAL}`]);
      return [name, interval ? { value, interval } : { value }];
    }),
  );
}

function rankIn(retrieved: readonly Document[], gold: Document): number | null {
  const key = documentKey(gold);
  const index = retrieved.findIndex((passage) => documentKey(passage) === key);
  return index < 0 ? null : index + 1;
}

function answered(prediction: Prediction): Answered {
  const { question, gold_docs, retrieved_docs, scores } = prediction;
  const judge = judgeSchema.safeParse(prediction.judge);
  return {
    key: JSON.stringify([question, gold_docs.map(documentKey)]),
    prediction,
    goldRanks: gold_docs.map((gold) => rankIn(retrieved_docs, gold)),
    scores: typeof scores === "object" && scores !== null ? numbersOf(scores as Record<string, unknown>) : {},
    ...(judge.success ? { judge: judge.data } : {}),
  };
}

/** Whether all gold passages are among the first `depth` retrieved ones (as the reference counts recall). */
export function isRetrieved({ goldRanks }: Pick<Answered, "goldRanks">, depth = Number.POSITIVE_INFINITY): boolean {
  return goldRanks.every((rank) => rank !== null && rank <= depth);
}

/** Reads what a test stage left beside its record; undefined when it left no scores. */
export async function readSystem(record: StageRecord): Promise<System | undefined> {
  const { folder, settings } = record;
  const [score, predictions] = await Promise.all([
    readValue(join(folder, "score.json"), scoreSchema, "scores of a test (score.json)"),
    readRows(join(folder, "test-predictions.jsonl"), predictionSchema, "predictions of test-e2e"),
  ]);
  if (!score) return undefined;
  const model = settings.qa_model_name_or_path ?? settings.embedding_model_name_or_path ?? record.command;
  const label = typeof settings.label === "string" ? settings.label : String(model).replace(/^.*[\\/]/, "");
  return { label, folder, record, figures: figuresOf(score), answers: (predictions ?? []).map(answered) };
}
