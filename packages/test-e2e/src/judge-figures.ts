import type { Judgement, Outcome } from "./judge-answers.js";

const isVerdict = (outcome: Outcome): boolean => outcome === "correct" || outcome === "incorrect";

/**
 * One answer's share in the judge's figures. `gpt4_acc` is over parsed verdicts; the bounds take every other answer as wrong, or as
 * right. `gpt4_flip_rate` is 1 when the repeats' verdicts are not all the same; only answers with two or more of them have it.
 */
export function verdictFigures({ verdict, verdicts = [] }: Judgement): Record<string, number> {
  const parsed = verdicts.filter(isVerdict);
  return {
    ...(isVerdict(verdict) ? { gpt4_acc: verdict === "correct" ? 1 : 0 } : {}),
    gpt4_acc_low: verdict === "correct" ? 1 : 0,
    gpt4_acc_high: verdict === "incorrect" ? 0 : 1,
    ...(parsed.length > 1 ? { gpt4_flip_rate: new Set(parsed).size > 1 ? 1 : 0 } : {}),
  };
}

/** How many answers have a verdict, and how many have none. */
export function verdictCounts(judgements: readonly Judgement[]): Record<string, number> {
  const countOf = (outcome: Outcome): number => judgements.filter(({ verdict }) => verdict === outcome).length;
  return {
    gpt4_parsed: countOf("correct") + countOf("incorrect"),
    gpt4_unparsed: countOf("unparsed"),
    gpt4_failed: countOf("failed"),
  };
}
