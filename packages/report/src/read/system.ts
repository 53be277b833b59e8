import { join } from "node:path";
import {
  AnswerLabels,
  answerLabelSchema,
  BY_KIND_FILE,
  type Document,
  documentKey,
  type IdentifiedQuestion,
  type PeopleSay,
  type Prediction,
  predictionSchema,
  questionId,
  SEARCHES_FILE,
  type SearchesFile,
  searchesSchema,
  splitProcedureOf,
  type TwoByTwo,
  twoByTwoSchema,
} from "@rag-ft/core";
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
  /** Rank of each gold passage among the retrieved ones, counted from 1; null: not retrieved. Absent where nothing was retrieved. */
  goldRanks?: (number | null)[];
  /** Figures of this answer, such as `rougeL` and `f1`. */
  scores: Record<string, number>;
  judge?: { verdict: string; reply: string };
  /** What people said of the answer. */
  people?: PeopleSay;
}

/** The figures of the questions of a kind. */
export interface KindFigures {
  questions: number;
  figures: ReadonlyMap<string, Figure>;
}

/** One tested system: what a test stage wrote to its folder. */
export interface System {
  label: string;
  folder: string;
  figures: ReadonlyMap<string, Figure>;
  /** Empty when the test is of the retriever alone. */
  answers: Answered[];
  /** How its questions were split, as `splitProcedureOf` tells. */
  splitBy: string;
  /** People's labels of its answers, where there are some. */
  labels?: AnswerLabels;
  /** Figures by kind of question, where the questions are of several. */
  kinds?: ReadonlyMap<string, KindFigures>;
  /** Of a test-e2e: how its passages were found, and what other searches find. */
  searches?: SearchesFile;
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

function answered(prediction: Prediction, labels: AnswerLabels): Answered {
  const { gold_docs, retrieved_docs, scores, passages = "retrieved", generated_answer } = prediction;
  const key = prediction.question_id ?? questionId(prediction as IdentifiedQuestion);
  const people = labels.of(key, generated_answer);
  const judge = judgeSchema.safeParse(prediction.judge);
  return {
    key,
    prediction,
    ...(passages === "retrieved" ? { goldRanks: gold_docs.map((gold) => rankIn(retrieved_docs, gold)) } : {}),
    scores: typeof scores === "object" && scores !== null ? numbersOf(scores as Record<string, unknown>) : {},
    ...(judge.success ? { judge: judge.data } : {}),
    ...(people ? { people } : {}),
  };
}

/** Whether all gold passages are among the first `depth` retrieved ones (as the reference counts recall). */
export function isRetrieved({ goldRanks }: Pick<Answered, "goldRanks">, depth = Number.POSITIVE_INFINITY): boolean {
  return goldRanks?.every((rank) => rank !== null && rank <= depth) ?? false;
}

/** The labels that `review` keeps in a folder. */
export async function readLabels(folder: string): Promise<AnswerLabels> {
  const rows = await readRows(join(folder, "labels.jsonl"), answerLabelSchema, "labels of answers");
  return new AnswerLabels(rows);
}

const kindsSchema = z.record(z.string(), z.looseObject({ questions: z.number(), figures: scoreSchema }));

/** What a test wrote of each kind of question. */
async function readKinds(folder: string): Promise<Pick<System, "kinds">> {
  const kinds = await readValue(join(folder, BY_KIND_FILE), kindsSchema, `figures by kind (${BY_KIND_FILE})`);
  if (!kinds) return {};
  const rows = Object.entries(kinds).map(
    ([kind, { questions, figures }]) => [kind, { questions, figures: figuresOf(figures) }] as const,
  );
  return { kinds: new Map(rows) };
}

/** Reads the scores and predictions of one folder; undefined when it holds no scores. */
async function readSystem(folder: string, label: string): Promise<System | undefined> {
  const [score, predictions, labels, searches, kinds] = await Promise.all([
    readValue(join(folder, "score.json"), scoreSchema, "scores of a test (score.json)"),
    readRows(join(folder, "test-predictions.jsonl"), predictionSchema, "predictions of test-e2e"),
    readLabels(folder),
    readValue(join(folder, SEARCHES_FILE), searchesSchema, "searches of a test (searches.json)"),
    readKinds(folder),
  ]);
  if (!score) return undefined;
  const answers = (predictions ?? []).map((prediction) => answered(prediction, labels));
  const splitBy = splitProcedureOf(predictions ?? []);
  return {
    label,
    folder,
    figures: figuresOf(score),
    answers,
    splitBy,
    ...(answers.some(({ people }) => people) ? { labels } : {}),
    ...(searches ? { searches } : {}),
    ...kinds,
  };
}

/** The 2x2 of a test that was run with `compare_base`, with a system for each of its cells, in their order. */
export interface ComparedBase {
  twoByTwo: TwoByTwo;
  cells: System[];
}

/** What one test stage left. */
export interface Test {
  record: StageRecord;
  system: System;
  compared?: ComparedBase;
}

/** Reads what `test-e2e` left beside its record; undefined when it left no scores. */
export async function readTest(record: StageRecord): Promise<Test | undefined> {
  const { folder, settings } = record;
  const model = settings.qa_model_name_or_path ?? record.command;
  const label = typeof settings.label === "string" ? settings.label : String(model).replace(/^.*[\\/]/, "");
  const system = await readSystem(folder, label);
  if (!system) return undefined;
  const twoByTwo = await readValue(join(folder, "two-by-two.json"), twoByTwoSchema, "a 2x2 (two-by-two.json)");
  if (!twoByTwo) return { record, system };
  const cells = await Promise.all(
    twoByTwo.cells.map(async (cell): Promise<System> => {
      if (cell.folder === ".") return { ...system, label: cell.label };
      const found = await readSystem(join(folder, cell.folder), cell.label);
      return (
        found ?? {
          label: cell.label,
          folder: cell.folder,
          figures: figuresOf(cell.figures),
          answers: [],
          splitBy: system.splitBy,
        }
      );
    }),
  );
  return { record, system, compared: { twoByTwo, cells } };
}

const retrieversSchema = z.looseObject({
  systems: z.array(z.looseObject({ label: z.string(), folder: z.string().optional(), figures: scoreSchema })),
  /** Files of earlier versions lack it. */
  split_by: z.string().default("unknown"),
});

/** The retrievers that `test-retriever` measured alone. */
export async function readRetrievers({ folder }: StageRecord): Promise<System[]> {
  const score = await readValue(join(folder, "score.json"), retrieversSchema, "scores of test-retriever (score.json)");
  return Promise.all(
    (score?.systems ?? []).map(async ({ label, folder: own, figures }) => ({
      label,
      folder,
      figures: figuresOf(figures),
      answers: [],
      splitBy: score?.split_by ?? "unknown",
      ...(own === undefined ? {} : await readKinds(join(folder, own))),
    })),
  );
}
