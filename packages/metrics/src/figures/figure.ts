/** What a figure measures. `generator` is its training; what it writes is `answer`, what a judge says of that `judge`. */
export type FigurePart = "retriever" | "generator" | "answer" | "judge" | "cost";

/**
 * How widely a figure is shown: where its level is, and where those after it in this list are.
 *
 * - `lead`: speaks for its part, as in the report's first lines
 * - `narrow`: in tables of many systems
 * - `wide`: in tables of one or two systems, and in what is compared between them
 * - `own`: in tables of its part alone
 * - `file`: in files, in `compare` and in the report's list of all figures
 */
export type FigureLevel = "lead" | "narrow" | "wide" | "own" | "file";
export const LEVELS: readonly FigureLevel[] = ["lead", "narrow", "wide", "own", "file"];

/** A figure as a table or a file needs it; one with a depth, such as `recall@4`, has a `Figure` for each depth. */
export interface Figure {
  /** Name among people and in settings: `recall@4`, `rougeL`. */
  key: string;
  /** Name in files: `test_retr/document_recall/recall4`, `test_gen/rougeL`. */
  name: string;
  /** For sentences and charts: `near recall@4`. */
  title: string;
  /** For the columns of a table: `near@4`. */
  heading: string;
  part: FigurePart;
  /** Which of two values is the better one; undefined where neither is. */
  better: "greater" | "less" | undefined;
  /** Whether it lies in [0, 1]. */
  share: boolean;
  /** Number of passages looked at. */
  depth?: number;
  level: FigureLevel;
  /** Digits after the point. */
  digits: number;
  /** Whether its values of single answers are worth a histogram. */
  spread: boolean;
}

/** A row of the registry. `Question` is what it is computed from; `{k}` in names and titles stands for the depth. */
export interface FigureRow<Question = never> {
  /** As `Figure.key`; in files too, unless `file` says otherwise. */
  key: string;
  /** Name in files, where the reference or an earlier version gave it another than the key. */
  file?: string;
  /** A name of earlier versions that does not say the depth; it stays in files beside the name that does. */
  bare?: string;
  title: string;
  /** The title when left out. */
  heading?: string;
  /** What it says, in a sentence of the reference (docs/figures.md). */
  about: string;
  part: FigurePart;
  better?: "greater" | "less";
  share: boolean;
  /** With `{k}`: at each of the depths of recall, or at the depth that was searched. */
  at?: "each" | "searched";
  level: FigureLevel | ((depth: number, deepest: number) => FigureLevel);
  /** 3 when left out. */
  digits?: number;
  spread?: true;
  /** Key of the figure in whose place it is shown, where a file has both: of another script, the reference's says nothing. */
  instead?: string;
  /** The question's figure; undefined where it has none, so that the mean is over the others. */
  of(question: Question, depth: number): number | undefined;
}

/** Whether a figure is shown where figures of `level` are. */
export function isShown({ level }: Pick<Figure, "level">, at: FigureLevel): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(at);
}

/** A template with its depth put in. */
export function atDepth(template: string, depth: number): string {
  return template.replace("{k}", String(depth));
}
