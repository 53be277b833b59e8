import { describeSplit, formatTable, signed, type TableRow } from "@rag-ft/core";
import { figureNamed, figuresAmong, isShown, LEVELS } from "@rag-ft/metrics";
import type { Example, FigureComparison, FigureNames } from "./compare-figures.js";

/** Below this a difference is called one. */
const SIGNIFICANT = 0.05;

const SHOWN_CHARACTERS = 300;

/** Retrieval figures whose line would repeat one before them: with a single gold passage a question, MAP is MRR. */
function repeatedFigures(comparisons: readonly FigureComparison[]): Set<string> {
  const lines = new Set<string>();
  const repeated = new Set<string>();
  for (const { figure, win_examples, loss_examples, ...values } of comparisons) {
    const line = JSON.stringify(values);
    if (figure.startsWith("test_retr/") && lines.has(line)) repeated.add(figure);
    lines.add(line);
  }
  return repeated;
}

function comparisonTable(comparisons: readonly FigureComparison[]): string {
  const rows = comparisons.map(
    ({ figure, mean_a, mean_b, difference, low, high, p_value, wins, losses, ties }): TableRow => ({
      figure,
      A: mean_a.toFixed(3),
      B: mean_b.toFixed(3),
      "B - A": signed(difference),
      "95 % interval": Number.isFinite(low) ? `[${signed(low)}, ${signed(high)}]` : "",
      p: p_value.toFixed(4),
      wins,
      losses,
      ties,
    }),
  );
  const table = formatTable(rows, ["figure", "A", "B", "B - A", "95 % interval", "p", "wins", "losses", "ties"]);
  const sources = Math.max(0, ...comparisons.map((one) => one.sources ?? 0));
  return sources === 0 ? table : `${table}\nIntervals and p by source: the questions share ${sources} sources.`;
}

/**
 * 1 where more is better, -1 where less is; 0 where neither is, and for time, which says more of the machine than of the system. More is
 * taken for better in figures of other programs.
 */
function directionOf(name: string): number {
  const figure = figureNamed(name);
  if (figure === undefined) return /\/seconds$/.test(name) ? 0 : 1;
  if (figure.part === "cost" || figure.better === undefined) return 0;
  return figure.better === "greater" ? 1 : -1;
}

/** What the table says, in words. */
function verdicts(comparisons: readonly FigureComparison[]): string[] {
  const judged = comparisons.filter(({ figure }) => directionOf(figure) !== 0);
  const clear = judged.filter(({ p_value }) => p_value < SIGNIFICANT);
  const named = (list: readonly FigureComparison[]): string => list.map(({ figure }) => figure).join(", ");
  const better = clear.filter(({ figure, difference }) => difference * directionOf(figure) > 0);
  const worse = clear.filter(({ figure, difference }) => difference * directionOf(figure) < 0);
  return [
    ...(better.length > 0 ? [`B is better than A (p < ${SIGNIFICANT}): ${named(better)}.`] : []),
    ...(worse.length > 0 ? [`B is worse than A (p < ${SIGNIFICANT}): ${named(worse)}.`] : []),
    ...(clear.length === 0 ? ["No figure differs by more than chance explains (p < 0.05 nowhere)."] : []),
    ...(judged.length > 5 && clear.length > 0
      ? [`Of ${judged.length} figures compared, one in twenty has p < ${SIGNIFICANT} by chance where nothing differs.`]
      : []),
  ];
}

function oneLine(text: string | undefined): string {
  const flat = (text ?? "").replace(/\s+/g, " ").trim();
  if (flat === "") return "(empty)";
  return flat.length > SHOWN_CHARACTERS ? `${flat.slice(0, SHOWN_CHARACTERS)}…` : flat;
}

function rank(place: number | null | undefined): string {
  return place === null || place === undefined ? "not found" : `place ${place}`;
}

function exampleLines(example: Example, retrieval: boolean): string[] {
  const head = `  ${example.a.toFixed(3)} -> ${example.b.toFixed(3)}  ${oneLine(example.question)}`;
  if (retrieval) return [head, `    gold passage: A ${rank(example.gold_rank_a)}, B ${rank(example.gold_rank_b)}`];
  return [
    head,
    `    gold: ${oneLine(example.gold_answer)}`,
    `    A:    ${oneLine(example.answer_a)}`,
    `    B:    ${oneLine(example.answer_b)}`,
  ];
}

/** The comparison whose examples are shown of a half: of its most widely shown figures the first. */
function headline(
  comparisons: readonly FigureComparison[],
  half: "retriever" | "answer",
): FigureComparison | undefined {
  const figures = figuresAmong(comparisons.map(({ figure }) => figure)).filter(
    ({ part, better }) => (part === "retriever") === (half === "retriever") && better !== undefined && part !== "cost",
  );
  const first = LEVELS.flatMap((level) => figures.find((figure) => isShown(figure, level)) ?? [])[0];
  return comparisons.find(({ figure }) => figure === first?.name);
}

function exampleParts(comparisons: readonly FigureComparison[]): string[] {
  const speaking = [headline(comparisons, "retriever"), headline(comparisons, "answer")].flatMap((one) => one ?? []);
  // Figures chosen by hand may hold none of the registry's.
  const shown = speaking.length > 0 ? speaking : comparisons.slice(0, 1);
  return shown.flatMap(({ figure, win_examples, loss_examples }) => {
    const retrieval = figure.startsWith("test_retr/");
    const part = (title: string, examples: readonly Example[]): string[] =>
      examples.length === 0
        ? []
        : [`${figure}: ${title}\n${examples.flatMap((example) => exampleLines(example, retrieval)).join("\n")}`];
    return [...part("B above A", win_examples), ...part("B below A", loss_examples)];
  });
}

/** The comparison for the terminal. */
export function renderComparison(input: {
  a: string;
  b: string;
  questions: number;
  comparisons: readonly FigureComparison[];
  names: FigureNames;
  /** As `splitProcedureOf` tells. */
  splitBy: string;
}): string {
  const { a, b, questions, names } = input;
  const repeated = repeatedFigures(input.comparisons);
  const comparisons = input.comparisons.filter(({ figure }) => !repeated.has(figure));
  const partly = comparisons.filter(({ n }) => n < questions);
  const notes = [
    ...partly.map(({ figure, n }) => `${figure}: over the ${n} of ${questions} questions for which both runs have it.`),
    ...(repeated.size > 0 ? [`Left out, as they repeat a line above: ${[...repeated].join(", ")}.`] : []),
    ...(names.otherDepth.length > 0
      ? [
          `Not compared: ${names.otherDepth.join(", ")}, as A looked at ${names.depthA} passages a question and B at ${names.depthB}.`,
        ]
      : []),
    ...(names.onlyA.length > 0 ? [`Only A has ${names.onlyA.join(", ")}.`] : []),
    ...(names.onlyB.length > 0 ? [`Only B has ${names.onlyB.join(", ")}.`] : []),
  ];
  return [
    `A: ${a}\nB: ${b}\n${questions} questions, paired\n${describeSplit(input.splitBy)}`,
    [comparisonTable(comparisons), ...notes].join("\n"),
    verdicts(comparisons).join("\n"),
    ...exampleParts(comparisons),
  ].join("\n\n");
}
