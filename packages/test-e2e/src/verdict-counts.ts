import type { Judgement, Outcome } from "./judge-answers.js";

/** How many answers have a verdict, and how many have none. */
export function verdictCounts(judgements: readonly Judgement[]): Record<string, number> {
  const countOf = (outcome: Outcome): number => judgements.filter(({ verdict }) => verdict === outcome).length;
  return {
    gpt4_parsed: countOf("correct") + countOf("incorrect"),
    gpt4_unparsed: countOf("unparsed"),
    gpt4_failed: countOf("failed"),
  };
}
