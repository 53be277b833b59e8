import { commonTokens, squadTokens } from "@rag-ft/text";

/** Each in [0, 1]; `exact_match` is 0 or 1. */
export interface SquadScore {
  f1: number;
  exact_match: number;
  precision: number;
  recall: number;
}

/**
 * Token overlap of a predicted answer with the gold one after SQuAD's normalisation (Rajpurkar et al. 2016). As in the
 * evaluation of SQuAD 2.0, when either has no token left all figures are 1 if both have none, else 0.
 */
export function squadScore(gold: string, predicted: string): SquadScore {
  return squadOfTokens(squadTokens(gold), squadTokens(predicted));
}

/** The same of texts that were cut in tokens otherwise. */
export function squadOfTokens(goldTokens: readonly string[], predictedTokens: readonly string[]): SquadScore {
  const exact_match = goldTokens.join(" ") === predictedTokens.join(" ") ? 1 : 0;
  if (goldTokens.length === 0 || predictedTokens.length === 0) {
    return { f1: exact_match, exact_match, precision: exact_match, recall: exact_match };
  }
  const common = commonTokens(goldTokens, predictedTokens);
  const precision = common / predictedTokens.length;
  const recall = common / goldTokens.length;
  return { f1: common === 0 ? 0 : (2 * precision * recall) / (precision + recall), exact_match, precision, recall };
}
