import { formatTable, QUESTION_KINDS, type TableRow } from "@rag-ft/core";
import { type FigureLevel, isShown } from "../figures/figure.js";
import { figuresAmong } from "../figures/figure-names.js";
import type { BootstrapOptions } from "./bootstrap.js";
import { estimateFigures, flatEstimates } from "./estimate-figures.js";
import type { Estimate } from "./estimate-mean.js";

/** A test's question, with what its row says of its kind. */
export interface KindedQuestion {
  kind: string | undefined;
  /** By their names in files. */
  figures: Readonly<Record<string, number>>;
  source: string;
}

/** The questions of a kind. */
export interface KindFigures {
  kind: string;
  questions: number;
  estimates: Record<string, Estimate>;
}

/** Rows that do not say their kind, beside others that do. */
const UNKNOWN = "not said";

const placeOf = (kind: string): number => {
  const known = (QUESTION_KINDS as readonly string[]).indexOf(kind);
  return known < 0 ? QUESTION_KINDS.length : known;
};

/** Figures with intervals by kind of question; none where all questions are of one kind, or no row says any. */
export function figuresByKind(
  questions: readonly KindedQuestion[],
  options: Omit<BootstrapOptions, "sources"> = {},
): KindFigures[] {
  const kinds = [...new Set(questions.map(({ kind = UNKNOWN }) => kind))].sort((a, b) => placeOf(a) - placeOf(b));
  if (kinds.length < 2) return [];
  return kinds.map((kind) => {
    const own = questions.filter((question) => (question.kind ?? UNKNOWN) === kind);
    const estimates = estimateFigures(
      own.map(({ figures }) => figures),
      { ...options, sources: own.map(({ source }) => source) },
    );
    return { kind, questions: own.length, estimates };
  });
}

/** A line a kind: the figures of tables at `level`, with their intervals; of few questions these are wide. */
export function kindsTable(kinds: readonly KindFigures[], level: FigureLevel = "narrow"): string {
  const columns = figuresAmong(kinds.flatMap(({ estimates }) => Object.keys(estimates))).filter((figure) =>
    isShown(figure, level),
  );
  const rows = kinds.map(
    ({ kind, questions, estimates }): TableRow => ({
      kind,
      questions,
      ...Object.fromEntries(
        columns.map(({ name, digits }) => {
          const estimate = estimates[name];
          if (!estimate || !Number.isFinite(estimate.mean)) return [name, "-"];
          const { mean, low, high } = estimate;
          const interval = Number.isFinite(low) ? ` (${low.toFixed(2)} to ${high.toFixed(2)})` : "";
          return [name, `${mean.toFixed(digits)}${interval}`];
        }),
      ),
    }),
  );
  return formatTable(rows, [
    "kind",
    "questions",
    ...columns.map(({ name, heading }) => ({ key: name, title: heading })),
  ]);
}

/** As by-kind.json holds them: of each kind its questions, and its figures as score.json has them. */
export function flatKinds(kinds: readonly KindFigures[]): Record<string, { questions: number; figures: object }> {
  return Object.fromEntries(
    kinds.map(({ kind, questions, estimates }) => [kind, { questions, figures: flatEstimates(estimates) }]),
  );
}
