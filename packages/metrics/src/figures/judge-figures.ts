import type { FigureRow } from "./figure.js";

/** What a judge said of an answer: `correct`, `incorrect`, or something else where there is no verdict. */
export interface JudgedQuestion {
  verdict: string;
  /** Of all times that it was asked, when that was more than once. */
  verdicts?: readonly string[];
}

const isVerdict = (outcome: string): boolean => outcome === "correct" || outcome === "incorrect";
const JUDGE = { part: "judge", better: "greater", share: true } as const;

/** Figures of a judge's verdicts. */
export const JUDGE_FIGURES: readonly FigureRow<JudgedQuestion>[] = [
  {
    ...JUDGE,
    key: "gpt4_acc",
    title: "judged correct",
    heading: "GPT4-Acc",
    about: "share of the answers that the judge calls correct, of those with a verdict",
    level: "lead",
    of: ({ verdict }) => (isVerdict(verdict) ? Number(verdict === "correct") : undefined),
  },
  {
    ...JUDGE,
    key: "gpt4_acc_low",
    title: "judged correct, at least",
    about: "the same with every answer without a verdict taken as wrong",
    level: "file",
    of: ({ verdict }) => Number(verdict === "correct"),
  },
  {
    ...JUDGE,
    key: "gpt4_acc_high",
    title: "judged correct, at most",
    about: "the same with every answer without a verdict taken as right",
    level: "file",
    of: ({ verdict }) => Number(verdict !== "incorrect"),
  },
  {
    ...JUDGE,
    better: "less",
    key: "gpt4_flip_rate",
    title: "verdicts that changed",
    about: "share of the answers whose verdicts are not all the same, of those with two or more",
    level: "file",
    of: ({ verdicts = [] }) => {
      const parsed = verdicts.filter(isVerdict);
      return parsed.length > 1 ? Number(new Set(parsed).size > 1) : undefined;
    },
  },
];

/** What a judge said of an answer beside its passages: `faithful`, `unfaithful`, or something else where there is no verdict. */
export interface GroundedVerdict {
  verdict: string;
}

/** Figures of a judge's verdicts on how far answers keep to their passages; refusals and prompts without passages have none. */
export const FAITHFULNESS_JUDGE_FIGURES: readonly FigureRow<GroundedVerdict>[] = [
  {
    ...JUDGE,
    key: "gpt4_faithful",
    title: "judged faithful",
    heading: "faithful",
    about:
      "with `judge_faithfulness`: share of the answers of which the judge finds every statement in the prompt's passages, of those with a verdict",
    level: "narrow",
    of: ({ verdict }) =>
      verdict === "faithful" || verdict === "unfaithful" ? Number(verdict === "faithful") : undefined,
  },
];
