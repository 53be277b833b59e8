import { join } from "node:path";
import {
  DataError,
  describeSplit,
  type Prediction,
  predictionSchema,
  readJsonIfThere,
  readJsonl,
  requireFile,
  SEARCHES_FILE,
  searchesSchema,
  searchName,
  sourceOf,
  splitProcedureOf,
} from "@rag-ft/core";
import {
  type Figure,
  type FigureLevel,
  figuresAmong,
  filePrefix,
  intervalName,
  isShown,
  measuredSearches,
  pairedDifference,
  type RunFigures,
  runVerdict,
  SOURCES_NAME,
  wilsonInterval,
} from "@rag-ft/metrics";
import { z } from "zod";
import type { ReportConfig } from "./pipeline-config.js";
import { type Comparison, evenlySpaced, type Interval, type ReportData } from "./report.js";

/** Answers shown at the end of a run. */
const EXAMPLES = 3;

/** Figures by their names in files; what else stands beside them, such as a step, is none. Files of earlier versions lack some. */
const figuresSchema = z.record(z.string(), z.unknown());
const retrieverTestSchema = z.looseObject({
  base: figuresSchema,
  best: figuresSchema,
  /** Files of earlier versions lack these. */
  bm25: figuresSchema.optional(),
  hybrid: figuresSchema.optional(),
  change: z.record(z.string(), z.looseObject({ ci95: z.tuple([z.number(), z.number()]).optional() })).optional(),
  questions: z.number(),
  split_by: z.string().optional(),
});
const scoreSchema = z.record(z.string(), z.unknown());

async function readJson<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T> {
  await requireFile(path, what);
  return (await readOutput(path, schema, what)) as T;
}

/** Reads a file of a stage; undefined when it is not there. */
function readOutput<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T | undefined> {
  return readJsonIfThere(path, schema, `not ${what}. Run the stage that writes it again (--force --only …).`);
}

type Numbers = Readonly<Record<string, unknown>>;

function numberIn(figures: Numbers | undefined, name: string): number | undefined {
  const value = figures?.[name];
  return typeof value === "number" ? value : undefined;
}

/** Shares that both have, of those shown at `level`, in the registry's order. */
function sharedFigures(base: Numbers, tuned: Numbers, level: FigureLevel, path: string): ShownFigure[] {
  const known = figuresAmong(Object.keys(base)).filter(
    (figure) => figure.share && figure.better !== undefined && isShown(figure, level),
  );
  const shared = known.flatMap((figure) => {
    const shown = { base: numberIn(base, figure.name), tuned: numberIn(tuned, figure.name) };
    return shown.base === undefined || shown.tuned === undefined
      ? []
      : [{ figure, shown: { base: shown.base, tuned: shown.tuned } }];
  });
  if (shared.length === 0)
    throw new DataError(
      `${path}: no figure of docs/figures.md that base and tuned both have. Run the test again (--force).`,
    );
  return shared;
}

interface ShownFigure {
  figure: Figure;
  shown: { base: number; tuned: number };
}

/** A figure's 95 % interval as test-e2e writes it beside the figure; undefined in files of earlier versions. */
function intervalOf(score: Record<string, unknown>, name: string): Interval | undefined {
  const value = score[intervalName(name)];
  if (!Array.isArray(value)) return undefined;
  const [low, high] = value;
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}

/**
 * The interval of a share of questions, each of which was found or not; undefined where it is no whole number of them, as questions can then be
 * found in part.
 */
function shareInterval(share: number, questions: number): Interval | undefined {
  if (Math.abs(share * questions - Math.round(share * questions)) > 1e-6) return undefined;
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
    return a === undefined || b === undefined ? [] : [{ a, b, source: sourceOf(base) }];
  });
  if (values.length < 2) return undefined;
  const { low, high, mean_a, mean_b } = pairedDifference(
    values.map(({ a }) => a),
    values.map(({ b }) => b),
    { sources: values.map(({ source }) => source) },
  );
  const same = Math.abs(mean_a - shown.base) < 1e-9 && Math.abs(mean_b - shown.tuned) < 1e-9;
  return same && Number.isFinite(low) ? [low, high] : undefined;
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
  /** How each found its passages; undefined in folders of earlier versions. */
  searches: Record<"base" | "tuned", string | undefined>;
}

async function searchOf(folder: string): Promise<string | undefined> {
  const file = await readOutput(join(folder, SEARCHES_FILE), searchesSchema, "test-e2e's searches");
  return file?.used.tuned && searchName(file.used.tuned);
}

async function readTests(folders: Record<"base" | "tuned", string>): Promise<Tests> {
  const [base, tuned] = await Promise.all([readPredictions(folders.base), readPredictions(folders.tuned)]);
  const paths = { base: join(folders.base, "score.json"), tuned: join(folders.tuned, "score.json") };
  const scores = {
    base: await readJson(paths.base, scoreSchema, "test-e2e's scores"),
    tuned: await readJson(paths.tuned, scoreSchema, "test-e2e's scores"),
  };
  const searches = { base: await searchOf(folders.base), tuned: await searchOf(folders.tuned) };
  const byQuestion = new Map(base.map((row) => [row.question_id ?? row.question, row]));
  const pairs = tuned.flatMap((row) => {
    const twin = byQuestion.get(row.question_id ?? row.question);
    return twin ? [[twin, row] as const] : [];
  });
  return { scores, paths, pairs, questions: tuned.length, searches };
}

type RetrieverTest = z.infer<typeof retrieverTestSchema>;

function retrieverComparisons(test: RetrieverTest, path: string, tests: Tests | undefined): Comparison[] {
  const { base, best, bm25, hybrid, change, questions } = test;
  return sharedFigures(base, best, "wide", path).map(({ figure: { name, heading }, shown }): Comparison => {
    const beside = { bm25: numberIn(bm25, name), hybrid: numberIn(hybrid, name) };
    return {
      part: "retriever",
      metric: heading,
      ...shown,
      ...(beside.bm25 === undefined ? {} : { bm25: beside.bm25 }),
      ...(beside.hybrid === undefined ? {} : { hybrid: beside.hybrid }),
      // Files of earlier versions have no intervals: then those that can be told from here.
      baseInterval: intervalOf(base, name) ?? shareInterval(shown.base, questions),
      tunedInterval: intervalOf(best, name) ?? shareInterval(shown.tuned, questions),
      changeInterval:
        change?.[name]?.ci95 ?? (tests && changeInterval(tests.pairs, `${filePrefix("retriever")}${name}`, shown)),
      questions,
    };
  });
}

/** What both tests measured, of the figures of one part: of the generator, or of the passages as each system searched for them. */
function testComparisons({ scores, paths, pairs, questions }: Tests, part: "generator" | "search"): Comparison[] {
  return sharedFigures(scores.base, scores.tuned, "narrow", paths.tuned)
    .filter(({ figure }) => (figure.part === "retriever") === (part === "search"))
    .map(({ figure: { name, heading, part: kind }, shown }) => ({
      part,
      metric: heading,
      ...(kind === "judge" ? { isJudged: true } : {}),
      ...shown,
      baseInterval: intervalOf(scores.base, name),
      tunedInterval: intervalOf(scores.tuned, name),
      changeInterval: changeInterval(pairs, name, shown),
      questions,
    }));
}

const VECTORS = searchName({ retrieval: "dense" });

/** The tests' own retrieval is shown where the retriever's rows, which are of vectors alone, do not say it. */
function showsSearch({ searches: { base, tuned } }: Tests): boolean {
  return [base, tuned].some((search) => search !== undefined && search !== VECTORS);
}

/** How passages were found for the rows of the table. */
function searchNotes(retriever: RetrieverTest | undefined, tests: Tests | undefined): string[] {
  const weight = numberIn(retriever?.hybrid, "bm25_weight");
  const { base, tuned } = tests?.searches ?? {};
  const beside =
    retriever?.hybrid === undefined
      ? ""
      : `; hybrid is the fine-tuned ${searchName({ retrieval: "hybrid", bm25_weight: weight })}`;
  return [
    ...(retriever ? [`retriever: base and fine-tuned by ${VECTORS} alone${beside}.`] : []),
    ...(base !== undefined && tuned !== undefined
      ? [
          base === tuned
            ? `generator: both systems searched by ${tuned}.`
            : `generator: base searched by ${base}, fine-tuned by ${tuned}: the change is of both.`,
        ]
      : []),
  ];
}

/** A comparison as the verdict takes it. */
function verdictFigure({ part, metric, base, tuned, changeInterval, questions, isJudged }: Comparison) {
  const kinds = { retriever: "retriever", search: "search", generator: isJudged ? "judge" : "answer" } as const;
  return {
    part: kinds[part],
    title: metric,
    base,
    tuned,
    ...(changeInterval ? { interval: changeInterval } : {}),
    questions,
  };
}

interface Told extends Pick<ReportData, "comparisons" | "sources"> {
  retriever: { test: RetrieverTest; folder: string } | undefined;
  tests: Tests | undefined;
  testFolder: string | undefined;
}

async function verdictData({ comparisons, sources = 0, retriever, tests, testFolder }: Told): Promise<RunFigures> {
  // Only now: a command that needs no model starts without loading the engine, and runs where that does not load.
  const { readHybridChoice } = await import("@rag-ft/retrieval");
  const choice = retriever && (await readHybridChoice(retriever.folder));
  return {
    figures: comparisons.map(verdictFigure),
    sources,
    searches: retriever ? measuredSearches(retriever.test, tests?.searches.tuned ?? VECTORS) : [],
    ...(choice?.over_dense ? { overDense: choice.over_dense } : {}),
    ...(testFolder === undefined ? {} : { testFolder }),
  };
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
  const folder = report.retriever === undefined ? undefined : folderOf(report.retriever);
  const path = folder === undefined ? undefined : join(folder, "test.json");
  const retriever =
    path === undefined ? undefined : await readJson(path, retrieverTestSchema, "train-retriever's test figures");
  const sources = Math.max(
    ...[retriever?.best, tests?.scores.tuned].map((figures) => numberIn(figures, SOURCES_NAME) ?? 0),
  );
  const splits = [retriever?.split_by, tests && splitProcedureOf(tests.pairs.map(([, row]) => row))];
  const comparisons = [
    ...(retriever && path !== undefined ? retrieverComparisons(retriever, path, tests) : []),
    ...(tests && showsSearch(tests) ? testComparisons(tests, "search") : []),
    ...(tests ? testComparisons(tests, "generator") : []),
  ];
  const told = {
    comparisons,
    sources,
    retriever: retriever && folder !== undefined ? { test: retriever, folder } : undefined,
    tests,
    testFolder: report.tuned === undefined ? undefined : folderOf(report.tuned),
  };
  const verdict = runVerdict(await verdictData(told));
  return {
    ...(verdict ? { verdict } : {}),
    comparisons,
    sources,
    notes: [
      ...searchNotes(retriever, tests),
      ...new Set(splits.flatMap((split) => (split === undefined ? [] : [describeSplit(split)]))),
    ],
    examples: evenlySpaced(examples.length, EXAMPLES).flatMap((index) => examples[index] ?? []),
    exampleQuestions: examples.length,
  };
}
