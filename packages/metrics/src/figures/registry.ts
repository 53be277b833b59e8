import { ANSWER_FIGURES } from "./answer-figures.js";
import { CITATION_FIGURES } from "./citation-figures.js";
import { COST_FIGURES } from "./cost-figures.js";
import { FAITHFULNESS_FIGURES } from "./faithfulness-figures.js";
import { atDepth, type FigurePart, type FigureRow } from "./figure.js";
import { GENERATOR_FIGURES } from "./generator-figures.js";
import { FAITHFULNESS_JUDGE_FIGURES, JUDGE_FIGURES } from "./judge-figures.js";
import { REFUSAL_FIGURES } from "./refusal-figures.js";
import { RETRIEVAL_FIGURES } from "./retrieval-figures.js";

/**
 * Every figure that is a mean over questions, in the order of all tables. What names figures reads them here: tables, charts, choices,
 * comparisons, settings and docs/figures.md.
 */
export const FIGURE_ROWS: readonly FigureRow[] = [
  ...RETRIEVAL_FIGURES,
  ...JUDGE_FIGURES,
  ...FAITHFULNESS_JUDGE_FIGURES,
  ...ANSWER_FIGURES,
  ...FAITHFULNESS_FIGURES,
  ...CITATION_FIGURES,
  ...REFUSAL_FIGURES,
  ...COST_FIGURES,
  ...GENERATOR_FIGURES,
];

/** Depths of a retriever's figures. */
export interface FigureDepths {
  /** Of recall and what else is taken at several depths. */
  ks: readonly number[];
  /** How many passages were searched. */
  searched: number;
}

/** Those of the reference, which evaluations in training and tests of the whole system have. */
export const REFERENCE_DEPTHS: FigureDepths = { ks: [1, 4], searched: 4 };

/** Depths of a row's figures; 0 stands for none. */
export function depthsOf({ at }: Pick<FigureRow, "at">, { ks, searched }: FigureDepths): readonly number[] {
  if (at === undefined) return [0];
  return at === "each" ? ks : [searched];
}

/** Name in files, after the split and the part (`test_retr/`). */
export function fileName({ key, file = key }: Pick<FigureRow, "key" | "file">, depth: number): string {
  return atDepth(file, depth);
}

/** What stands before the names of a test's figures in files. */
export function filePrefix(part: FigurePart): string {
  if (part === "generator") return "eval_";
  return part === "retriever" ? "test_retr/" : "test_gen/";
}

/**
 * One question's figures by their names in files, without split and part: `document_recall/recall4`, `rougeL`. `rows` is the list that
 * fits the question, such as `ANSWER_FIGURES`; depths are needed for those of a retriever only.
 */
export function measure<Question>(
  rows: readonly FigureRow<Question>[],
  question: Question,
  depths: FigureDepths = { ks: [], searched: 0 },
): Record<string, number> {
  const found = rows.flatMap((row) =>
    depthsOf(row, depths).flatMap((depth): [string, number][] => {
      const value = row.of(question, depth);
      if (value === undefined) return [];
      return [
        [fileName(row, depth), value],
        ...(row.bare === undefined ? [] : [[row.bare, value] as [string, number]]),
      ];
    }),
  );
  return Object.fromEntries(found);
}
