import { documentKey, sourceOf, UserError } from "@rag-ft/core";
import { figureNamed, figuresAmong, type PairedDifference, pairedDifference } from "@rag-ft/metrics";
import type { QuestionPair } from "./pair-runs.js";
import type { RunRow } from "./run-row.js";

/** A question on which the runs differ. */
export interface Example {
  question_id: string;
  question: string;
  /** The figure in each run. */
  a: number;
  b: number;
  gold_answer?: string;
  answer_a?: string;
  answer_b?: string;
  /** Best place of a gold passage among those retrieved, from 1; null when none is there. */
  gold_rank_a?: number | null;
  gold_rank_b?: number | null;
}

export interface FigureComparison extends PairedDifference {
  figure: string;
  /** Largest differences first; b above a, and below it. */
  win_examples: Example[];
  loss_examples: Example[];
}

function goldRank(row: RunRow): number | null | undefined {
  const known = row.gold_ranks ?? (row.scores as { gold_ranks?: unknown } | undefined)?.gold_ranks;
  if (Array.isArray(known)) {
    const ranks = known.filter((rank): rank is number => typeof rank === "number");
    return ranks.length > 0 ? Math.min(...ranks) : null;
  }
  if (row.retrieved_docs === undefined || row.retrieved_docs.length === 0) return undefined;
  const gold = new Set(row.gold_docs.map(documentKey));
  const place = row.retrieved_docs.findIndex((document) => gold.has(documentKey(document)));
  return place < 0 ? null : place + 1;
}

function exampleOf({ a, b }: QuestionPair, figure: string): Example {
  return {
    question_id: a.key,
    question: a.row.question,
    a: a.figures[figure] as number,
    b: b.figures[figure] as number,
    ...(a.row.gold_answer === undefined
      ? {}
      : {
          gold_answer: a.row.gold_answer,
          answer_a: a.row.generated_answer,
          answer_b: b.row.generated_answer,
        }),
    gold_rank_a: goldRank(a.row),
    gold_rank_b: goldRank(b.row),
  };
}

function compareFigure(
  pairs: readonly QuestionPair[],
  figure: string,
  options: { examples: number; seed: number },
): FigureComparison {
  const known = pairs.filter(({ a, b }) => a.figures[figure] !== undefined && b.figures[figure] !== undefined);
  const figureOf = (side: "a" | "b") => (pair: QuestionPair) => pair[side].figures[figure] as number;
  const a = known.map(figureOf("a"));
  const b = known.map(figureOf("b"));
  const examples = known.map((pair) => exampleOf(pair, figure));
  const largest = (gain: (example: Example) => number): Example[] =>
    examples
      .filter((example) => gain(example) > 0)
      .sort((x, y) => gain(y) - gain(x))
      .slice(0, options.examples);
  return {
    figure,
    ...pairedDifference(a, b, { seed: options.seed, sources: known.map(({ a: one }) => sourceOf(one.row)) }),
    win_examples: largest((example) => example.b - example.a),
    loss_examples: largest((example) => example.a - example.b),
  };
}

/** Names of figures in some line of a run, in the registry's order; those that it does not know last, as they come. */
function namesOf(pairs: readonly QuestionPair[], side: "a" | "b"): string[] {
  const names = new Set(pairs.flatMap((pair) => Object.keys(pair[side].figures)));
  return [...new Set([...figuresAmong(names).map(({ name }) => name), ...names])];
}

/** Whether a figure depends on how many passages were retrieved, and its name does not say how many. */
function hasUnsaidDepth(name: string): boolean {
  const figure = figureNamed(name);
  return figure?.part === "retriever" && figure.depth === undefined;
}

/** How many passages a run retrieved a question, at most. */
function depthOf(pairs: readonly QuestionPair[], side: "a" | "b"): number {
  return Math.max(0, ...pairs.map((pair) => pair[side].row.depth ?? pair[side].row.retrieved_docs?.length ?? 0));
}

export interface FigureNames {
  shared: string[];
  /** In one run only. */
  onlyA: string[];
  onlyB: string[];
  /** In both, but not comparable, as one run looked at more passages than the other. */
  otherDepth: string[];
  depthA: number;
  depthB: number;
}

export function figureNames(pairs: readonly QuestionPair[]): FigureNames {
  const [a, b] = [namesOf(pairs, "a"), namesOf(pairs, "b")];
  const both = a.filter((name) => b.includes(name));
  const [depthA, depthB] = [depthOf(pairs, "a"), depthOf(pairs, "b")];
  const otherDepth = depthA === depthB ? [] : both.filter(hasUnsaidDepth);
  // With the depth in its name it is in one run only, which "other depth" has said already.
  const isSaid = (name: string): boolean => otherDepth.includes(name.replace(/@\d+$/, ""));
  return {
    otherDepth,
    depthA,
    depthB,
    shared: both.filter((name) => !otherDepth.includes(name)),
    onlyA: a.filter((name) => !b.includes(name) && !isSaid(name)),
    onlyB: b.filter((name) => !a.includes(name) && !isSaid(name)),
  };
}

/** The figures asked for by name or by the end of it; all when nothing is asked for. */
function chosenFigures({ shared }: FigureNames, wanted: readonly string[] | undefined): string[] {
  if (shared.length === 0)
    throw new UserError("The two runs have no figure in common: one retrieved, the other answered.");
  if (wanted === undefined || wanted.length === 0) return shared;
  const isMeant = (name: string, end: string): boolean =>
    name === end || name.endsWith(`/${end}`) || figureNamed(name)?.key === end;
  const unknown = wanted.filter((end) => !shared.some((name) => isMeant(name, end)));
  if (unknown.length > 0) {
    throw new UserError(
      `figures: ${unknown.join(", ")} is in none of the two runs, or in one only. Both have ${shared.join(", ")}.`,
    );
  }
  return shared.filter((name) => wanted.some((end) => isMeant(name, end)));
}

/** Every figure that both runs have, compared over the questions for which both have it. */
export function compareFigures(
  pairs: readonly QuestionPair[],
  options: { figures?: readonly string[]; examples: number; seed: number },
): FigureComparison[] {
  const names = chosenFigures(figureNames(pairs), options.figures);
  return names.map((figure) => compareFigure(pairs, figure, options));
}
