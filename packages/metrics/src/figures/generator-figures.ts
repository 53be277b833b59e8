import type { FigureRow } from "./figure.js";

/** A question as the generator's training sees it. */
export interface TrainedQuestion {
  /** Mean negative log-likelihood of the gold answer's tokens. */
  loss: number;
}

/** Figures of a generator in training. Their names in files have `eval_` before them. */
export const GENERATOR_FIGURES: readonly FigureRow<TrainedQuestion>[] = [
  {
    key: "loss",
    title: "loss",
    about: "mean negative log-likelihood of the gold answers' tokens, in nats",
    part: "generator",
    better: "less",
    share: false,
    level: "own",
    of: ({ loss }) => loss,
  },
];
