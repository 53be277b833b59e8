import type { FigureRow } from "./figure.js";

/** What an answer took. */
export interface MeasuredQuestion {
  /** Left out for an answer that was not timed. */
  seconds?: number;
}

/** Figures of what answering costs. */
export const COST_FIGURES: readonly FigureRow<MeasuredQuestion>[] = [
  {
    key: "latency_s",
    title: "seconds an answer",
    heading: "s/answer",
    about: "time from the prompt to the end of the answer; of answers made together, each one's part",
    part: "cost",
    better: "less",
    share: false,
    level: "wide",
    digits: 2,
    of: ({ seconds }) => seconds,
  },
];
