import { countTokens, splitWords, stripEnd } from "@rag-ft/text";

// BLEU (Papineni et al. 2002) as sacrebleu computes it by default.
// 1. Tokens of mteval-v13a. 2. For n-grams of 1 to 4 tokens: how many the candidate has, and how many of them a reference has too, each
// at most as often as the reference that has it most. 3. The geometric mean of the four shares, those without a match smoothed by
// halving. 4. A penalty when the candidate is shorter than the reference nearest to it in length.

const ORDERS = 4;

/** Tokens of mteval-v13a: punctuation is parted from words, but points, commas and dashes within numbers are not. */
export function bleuTokens(text: string): string[] {
  const plain = stripEnd(text)
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  const parted = ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ");
  return splitWords(parted);
}

/** What a BLEU is computed from; those of several texts add up to their corpus's. */
export interface BleuCounts {
  candidateLength: number;
  /** Of the reference nearest to the candidate in length. */
  referenceLength: number;
  /** For n-grams of 1 to 4 tokens. */
  matches: number[];
  totals: number[];
}

function ngramCounts(tokens: readonly string[], n: number): Map<string, number> {
  const places = Math.max(tokens.length - n + 1, 0);
  return countTokens(Array.from({ length: places }, (_, i) => tokens.slice(i, i + n).join(" ")));
}

/** Counts of one candidate against its references, at least one. */
export function bleuCounts(references: readonly string[], candidate: string): BleuCounts {
  const tokens = bleuTokens(candidate);
  const referenceTokens = references.map(bleuTokens);
  const lengths = referenceTokens.map((list) => list.length);
  lengths.sort((a, b) => Math.abs(a - tokens.length) - Math.abs(b - tokens.length) || a - b);
  const counts: BleuCounts = {
    candidateLength: tokens.length,
    referenceLength: lengths[0] ?? 0,
    matches: [],
    totals: [],
  };
  for (let n = 1; n <= ORDERS; n++) {
    const inReferences = referenceTokens.map((list) => ngramCounts(list, n));
    let matched = 0;
    for (const [ngram, count] of ngramCounts(tokens, n)) {
      matched += Math.min(count, Math.max(0, ...inReferences.map((map) => map.get(ngram) ?? 0)));
    }
    counts.matches.push(matched);
    counts.totals.push(Math.max(tokens.length - n + 1, 0));
  }
  return counts;
}

/** Counts of a corpus. */
export function addBleuCounts(all: readonly BleuCounts[]): BleuCounts {
  const sum = (pick: (counts: BleuCounts) => number): number => all.reduce((total, counts) => total + pick(counts), 0);
  const each = (key: "matches" | "totals"): number[] =>
    Array.from({ length: ORDERS }, (_, i) => sum((counts) => counts[key][i] ?? 0));
  return {
    candidateLength: sum((counts) => counts.candidateLength),
    referenceLength: sum((counts) => counts.referenceLength),
    matches: each("matches"),
    totals: each("totals"),
  };
}

/**
 * BLEU of counts, in [0, 1] (sacrebleu's is 100 times it). `effectiveOrder` leaves out n-grams longer than the candidate, as
 * sacrebleu advises for single texts.
 */
export function bleuOf(counts: BleuCounts, options: { effectiveOrder?: boolean } = {}): number {
  const { candidateLength, referenceLength, matches, totals } = counts;
  if (matches.every((count) => count === 0)) return 0;
  const known = totals.indexOf(0);
  const orders = known < 0 ? ORDERS : known;
  // Without `effectiveOrder` an order that the candidate is too short for has the share 0, and so the whole.
  if (orders < ORDERS && !options.effectiveOrder) return 0;
  let smoothing = 1;
  let logs = 0;
  for (let i = 0; i < orders; i++) {
    const matched = matches[i] as number;
    if (matched === 0) smoothing *= 2;
    logs += Math.log((matched === 0 ? 1 / smoothing : matched) / (totals[i] as number));
  }
  const penalty = candidateLength < referenceLength ? Math.exp(1 - referenceLength / candidateLength) : 1;
  return penalty * Math.exp(logs / orders);
}

/** BLEU of one text against its references, in [0, 1]: `sentence_bleu` of sacrebleu. */
export function sentenceBleu(references: readonly string[], candidate: string): number {
  return bleuOf(bleuCounts(references, candidate), { effectiveOrder: true });
}

/** BLEU of a corpus, in [0, 1]: `corpus_bleu` of sacrebleu. It is not the mean of its texts' BLEU. */
export function corpusBleu(texts: readonly { references: readonly string[]; candidate: string }[]): number {
  return bleuOf(addBleuCounts(texts.map(({ references, candidate }) => bleuCounts(references, candidate))));
}
