import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  BY_KIND_FILE,
  type Document,
  describeSplit,
  questionId,
  readDocuments,
  type StageContext,
  type StageResult,
  sourceOf,
  splitProcedureOf,
  UserError,
  withFolderLock,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import { openVectorTally, type RequestTally } from "@rag-ft/llm";
import {
  type Estimate,
  estimateFigures,
  figuresByKind,
  flatEstimates,
  flatKinds,
  intervalNote,
  type KindFigures,
  kindsTable,
  type PairedDifference,
  pairedDifference,
} from "@rag-ft/metrics";
import {
  type OpenedReranker,
  openPassageEncoder,
  openReranker,
  type PassageEncoder,
  type TestedSystem as RetrieverTest,
  testSystems,
  VECTORS_FOLDER,
} from "@rag-ft/retrieval";
import { readTestQuestions, type TestQuestion } from "./read-questions.js";
import { comparedNames, differencesTable, figuresTable } from "./report-table.js";
import type { TestRetrieverSettings } from "./settings.js";
import { checkSystems, type System, systemsOf } from "./systems.js";
import { trecNames, writeQrels, writeRun } from "./trec.js";

/** With the tally of requests where a model is behind an API. */
type TestContext = StageContext & { tally?: RequestTally };

/** What the stage opens; tests put their own in. */
export interface TestRetrieverParts {
  openEncoder(name: string, settings: TestRetrieverSettings, context: TestContext): Promise<PassageEncoder>;
  /** Undefined where settings name none, or one that is of no use. */
  openReranker(settings: TestRetrieverSettings, context: StageContext): Promise<OpenedReranker | undefined>;
}

export const defaultParts: TestRetrieverParts = {
  openEncoder: (name, settings, context) =>
    openPassageEncoder(name, {
      ...context,
      device: settings.device,
      precision: settings.precision,
      truncateDim: settings.truncate_dim,
      requests: settings,
      keepIn: settings.index_path ?? join(settings.output_dir, VECTORS_FOLDER),
    }),
  openReranker: (settings, { env, reporter, signal }) =>
    openReranker(settings, { env, reporter, signal, device: settings.device, precision: settings.precision }),
};

/** A line of `retrieval-results.jsonl`. Names of figures are those of test-e2e, so that `compare` pairs runs of both. */
interface ResultRow {
  question_id: string;
  question: string;
  gold_docs: readonly Document[];
  /** The first so many as the deepest of `ks`. */
  retrieved_docs: Document[];
  retrieval_scores: number[];
  /** How many passages were looked at: MRR and MAP know no further ones. */
  depth: number;
  split_by: string;
  question_kind?: string;
  /** Place of each gold passage within `depth`, from 1; null when it is not there. */
  gold_ranks: (number | null)[];
  figures: Record<string, number>;
}

function resultRows(
  questions: readonly TestQuestion[],
  { retrieved: found, scores, rows }: RetrieverTest<System>,
  { ks, depth }: { ks: readonly number[]; depth: number },
): ResultRow[] {
  const kept = Math.max(...ks);
  return questions.map((row, i) => {
    const retrieved = found[i];
    return {
      question_id: questionId(row),
      question: row.question,
      gold_docs: row.gold_docs,
      split_by: row.split_by,
      ...(row.question_kind === undefined ? {} : { question_kind: row.question_kind }),
      retrieved_docs: retrieved?.documents.slice(0, kept) ?? [],
      retrieval_scores: retrieved?.scores.slice(0, kept) ?? [],
      depth: Math.max(depth, kept),
      gold_ranks: scores[i]?.gold_ranks ?? [],
      figures: rows[i] ?? {},
    };
  });
}

interface TestedSystem {
  system: System;
  rows: ResultRow[];
  estimates: Record<string, Estimate>;
  /** Where questions are of several kinds. */
  kinds: KindFigures[];
  /** What reranking took a question, where there is any. */
  milliseconds?: number;
}

type NamedDifference = PairedDifference & { from: string; to: string; figure: string };

/** Every other retriever against the first model given, on the figures of the table. */
function differencesOf(
  tested: readonly TestedSystem[],
  settings: TestRetrieverSettings,
  sources: readonly string[],
): NamedDifference[] {
  const first = tested.find(({ system }) => system.kind === "dense");
  if (first === undefined) return [];
  const valuesOf = ({ rows }: TestedSystem, figure: string): number[] => rows.map((row) => row.figures[figure] ?? 0);
  return tested
    .filter((other) => other !== first)
    .flatMap((other) =>
      comparedNames(Object.keys(first.estimates)).map((figure) => ({
        from: first.system.label,
        to: other.system.label,
        figure,
        ...pairedDifference(valuesOf(first, figure), valuesOf(other, figure), { seed: settings.seed, sources }),
      })),
    );
}

async function openEncoders(
  settings: TestRetrieverSettings,
  context: TestContext,
  parts: TestRetrieverParts,
): Promise<PassageEncoder[]> {
  const opened: PassageEncoder[] = [];
  try {
    const names = settings.retrieval === "bm25" ? [] : settings.model_path;
    for (const name of names) opened.push(await parts.openEncoder(name, settings, context));
  } catch (error) {
    for (const encoder of opened) await encoder.close();
    throw error;
  }
  return opened;
}

/**
 * Retrievers alone, on questions with gold passages.
 *
 * 1. Open every model, and the reranker where one is named, so that a wrong name shows before anything is embedded. 2. For BM25 and each model: index the whole database,
 * retrieve for every question, score. 3. Means with intervals; differences from the first model. 4. Write, for each retriever, what it found
 * and its figures, and one `score.json` of all.
 */
export function runTestRetriever(
  settings: TestRetrieverSettings,
  context: StageContext,
  parts: TestRetrieverParts = defaultParts,
): Promise<StageResult> {
  checkSystems(settings);
  return withFolderLock(settings.output_dir, (signal) => testAll(settings, { ...context, signal }, parts), context);
}

async function testAll(
  settings: TestRetrieverSettings,
  context: StageContext,
  parts: TestRetrieverParts,
): Promise<StageResult> {
  const { reporter } = context;
  const documents = await readDocuments(settings.document_path);
  const questions = (await readTestQuestions(settings.eval_data_path, reporter)).slice(0, settings.max_test_samples);
  if (questions.length === 0) throw new UserError(`${settings.eval_data_path}: no question in it.`);
  await mkdir(settings.output_dir, { recursive: true }).catch((cause) => {
    throw new UserError(`${settings.output_dir}: cannot be made a folder. Give output_dir another path.`, { cause });
  });
  const tally = await openVectorTally("test-retriever", settings.model_path, settings);
  const encoders = await openEncoders(settings, { ...context, ...(tally ? { tally } : {}) }, parts);
  let reranker: OpenedReranker | undefined;
  try {
    reranker = await parts.openReranker(settings, context);
    const { systems, close } = await systemsOf(settings, { encoders, reranker }, questions, context);
    const sources = questions.map(sourceOf);
    const options = { questions, ks: settings.ks, depth: settings.depth };
    const found = await testSystems(systems, documents, options, context).finally(close);
    const tested = found.map((one): TestedSystem => {
      const estimates = estimateFigures(one.rows, { seed: settings.seed, sources });
      const cost = one.reranking?.cost;
      const milliseconds = cost && { milliseconds: cost.milliseconds / cost.questions };
      const kinded = one.rows.map((figures, i) => ({
        ...{ kind: questions[i]?.question_kind, figures, source: sources[i] ?? "" },
      }));
      const kinds = figuresByKind(kinded, { seed: settings.seed });
      return { system: one.system, rows: resultRows(questions, one, settings), estimates, kinds, ...milliseconds };
    });
    const result = await writeResults(settings, tested, sources, {
      questions: questions.length,
      passages: documents.length,
      unanswerable: found[0]?.unanswerable ?? 0,
      split_by: splitProcedureOf(questions),
    });
    if (settings.trec) {
      const names = trecNames(documents, questions);
      result.outputs.push(await writeQrels(settings.output_dir, questions, names));
      for (const { system, retrieved } of found)
        result.outputs.push(
          await writeRun(join(settings.output_dir, system.folder), system.label, questions, retrieved, names),
        );
    }
    if (!tally) return result;
    return {
      ...result,
      record: { requests: tally.counts },
      summary: [result.summary, ...tally.lines()].join("\n"),
    };
  } finally {
    for (const encoder of encoders) await encoder.close();
    await reranker?.scorer.close();
  }
}

async function writeResults(
  settings: TestRetrieverSettings,
  tested: readonly TestedSystem[],
  sources: readonly string[],
  counts: { questions: number; passages: number; unanswerable: number; split_by: string },
): Promise<StageResult> {
  const differences = differencesOf(tested, settings, sources);
  const outputs: string[] = [];
  const path = (...parts: string[]): string => {
    const file = join(settings.output_dir, ...parts);
    outputs.push(file);
    return file;
  };
  for (const { system, rows, estimates, kinds } of tested) {
    const byKind = join(settings.output_dir, system.folder, BY_KIND_FILE);
    if (kinds.length > 0) await writeJsonAtomic(path(system.folder, BY_KIND_FILE), flatKinds(kinds));
    else await rm(byKind, { force: true });
    await writeJsonl(path(system.folder, "retrieval-results.jsonl"), rows);
    await writeJsonAtomic(path(system.folder, "score.json"), {
      ...flatEstimates(estimates),
      "test_retr/gold_not_in_database": counts.unanswerable,
      num_questions: counts.questions,
      split_by: counts.split_by,
    });
  }
  await writeJsonAtomic(path("score.json"), {
    version: 1,
    ...counts,
    ks: settings.ks,
    depth: Math.max(settings.depth, ...settings.ks),
    systems: tested.map(
      ({ system: { label, kind, model, run, bm25_weight, folder, rerank }, estimates, milliseconds }) => ({
        label,
        kind,
        ...(run === undefined ? {} : { run }),
        ...(model === undefined ? {} : { model }),
        ...(bm25_weight === undefined ? {} : { bm25_weight }),
        ...rerank,
        ...(milliseconds === undefined ? {} : { rerank_milliseconds: milliseconds }),
        folder,
        figures: flatEstimates(estimates),
      }),
    ),
    differences: differences.map(({ low, high, ...rest }) => ({
      ...rest,
      ...(Number.isFinite(low) ? { ci95: [low, high] } : {}),
    })),
  });
  const shown = tested.map(({ system, ...rest }) => ({ label: system.label, ...rest }));
  const summary = [
    `${counts.questions} questions over ${counts.passages} passages; in brackets ${intervalNote(tested[0]?.estimates ?? {})}`,
    describeSplit(counts.split_by),
    figuresTable(shown),
    ...tested.flatMap(({ system, kinds }) =>
      kinds.length === 0 ? [] : ["", `${system.label}, by kind of question`, kindsTable(kinds)],
    ),
    ...(differences.length === 0 ? [] : ["", "Differences, question by question", differencesTable(differences)]),
  ].join("\n");
  const figures = Object.fromEntries(
    tested.flatMap(({ system, estimates }) =>
      Object.entries(estimates).map(([figure, { mean }]) => [`${system.label}/${figure}`, mean]),
    ),
  );
  return { outputs, figures, summary };
}
