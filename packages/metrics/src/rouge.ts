import { longestCommonSubsequence, porterStem } from "@rag-ft/text";

/** Each in [0, 1]. */
export interface RougeValue {
  precision: number;
  recall: number;
  fmeasure: number;
}

export interface RougeScores {
  rouge1: RougeValue;
  rouge2: RougeValue;
  rougeL: RougeValue;
}

/** Tokens of Google's rouge_score: lower case, runs of anything but a-z and 0-9 part them; stems of those longer than 3. */
export function rougeTokens(text: string, stem: boolean): string[] {
  const tokens = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? tokens.map((token) => (token.length > 3 ? porterStem(token) : token)) : [...tokens];
}

function rougeValue(hits: number, referenceCount: number, candidateCount: number): RougeValue {
  const precision = hits / Math.max(candidateCount, 1);
  const recall = hits / Math.max(referenceCount, 1);
  const sum = precision + recall;
  return { precision, recall, fmeasure: sum > 0 ? (2 * precision * recall) / sum : 0 };
}

/** ROUGE-N: multiset intersection of n-grams. */
function overlapOfNgrams(reference: readonly string[], candidate: readonly string[], n: number): RougeValue {
  const referenceCount = Math.max(reference.length - n + 1, 0);
  const candidateCount = Math.max(candidate.length - n + 1, 0);
  const counts = new Map<string, number>();
  const ngram = (tokens: readonly string[], start: number): string => tokens.slice(start, start + n).join(" ");
  for (let i = 0; i < referenceCount; i++) {
    const key = ngram(reference, i);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let hits = 0;
  for (let i = 0; i < candidateCount; i++) {
    const key = ngram(candidate, i);
    const left = counts.get(key) ?? 0;
    if (left === 0) continue;
    hits++;
    counts.set(key, left - 1);
  }
  return rougeValue(hits, referenceCount, candidateCount);
}

/**
 * ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), equal to Google's `rouge_score` (`RougeScorer(..., use_stemmer=stem)`).
 * A text without tokens gives zeros.
 */
export function rougeScore(reference: string, candidate: string, options: { stem?: boolean } = {}): RougeScores {
  return rougeOfTokens(rougeTokens(reference, options.stem ?? false), rougeTokens(candidate, options.stem ?? false));
}

/** The same of texts that were cut in tokens otherwise. */
export function rougeOfTokens(a: readonly string[], b: readonly string[]): RougeScores {
  return {
    rouge1: overlapOfNgrams(a, b, 1),
    rouge2: overlapOfNgrams(a, b, 2),
    rougeL: rougeValue(longestCommonSubsequence(a, b), a.length, b.length),
  };
}
