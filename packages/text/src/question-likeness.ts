import { longestCommonSubsequence } from "./longest-common-subsequence.js";
import { words } from "./words.js";

/**
 * How much two questions are alike in their words and the order of these, in [0, 1]: the F-measure of the longest common
 * subsequence (ROUGE-L, Lin 2004), without stems. 0 when either has no word. On English text it is rouge_score's ROUGE-L, which knows
 * no letters but a to z.
 */
export function questionLikeness(a: string, b: string): number {
  const ofA = words(a);
  const ofB = words(b);
  const common = longestCommonSubsequence(ofA, ofB);
  if (common === 0) return 0;
  // Rounded as ROUGE's figure is, so that both stand on the same side of a bound.
  const precision = common / ofB.length;
  const recall = common / ofA.length;
  return (2 * precision * recall) / (precision + recall);
}
