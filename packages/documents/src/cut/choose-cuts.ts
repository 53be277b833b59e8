import type { Unit } from "./unit.js";

/** A passage's units: those from `start` on are shown, of which those before `core` repeat the passage before. */
export interface Cut {
  start: number;
  core: number;
  end: number;
}

/** Each passage costs this much, so that short sections share one. */
const PASSAGE_COST = 0.5;
/** Least cost of a passage that has no room left for repeated text where there should be some. */
const NO_OVERLAP_COST = 0.3;
/**
 * Leaving repeated text out saves overlap / (limit - overlap) of a passage; the cost of leaving it out is this many times
 * what it saves, so that it is left out for a better place of cutting, not for fewer passages.
 */
const NO_OVERLAP_FACTOR = 1.5;

/** For each unit, where a passage that begins there may start repeating: sentences before it of at most `overlap` tokens, within its section. */
function overlapStarts(units: readonly Unit[], overlap: number): number[] {
  return units.map((unit, i) => {
    let start = i;
    let tokens = 0;
    if (unit.heading) return i;
    for (let k = i - 1; k > 0; k--) {
      const before = units[k];
      if (before === undefined || before.heading) break;
      tokens += before.tokens;
      if (tokens > overlap) break;
      if (before.border) start = k;
    }
    return start;
  });
}

/**
 * Chooses where to cut, over the whole text at once (dynamic programming, as in Knuth and Plass's line breaking):
 *
 * 1. best[j] = the least cost of passages that cover the units before j; best[0] = 0.
 * 2. A passage of the units i to j costs `PASSAGE_COST` + (1 - tokens / limit)^2 for the room left empty + the cost of
 *    beginning at unit i, which is low before headings and high within sentences.
 * 3. Its tokens, with the text repeated before i and what is written again around a cut block, are at most `limit`; when
 *    the repeated text does not fit, it is left out, at a cost.
 *
 * @param units - each of at most `limit` tokens
 */
export function chooseCuts(units: readonly Unit[], limit: number, overlap: number): Cut[] {
  const sums = [0];
  for (const [i, unit] of units.entries()) sums.push((sums[i] ?? 0) + unit.tokens);
  const tokensOf = (from: number, to: number): number => {
    const first = units[from]?.block;
    const last = units[to - 1]?.block;
    return (
      (sums[to] ?? 0) -
      (sums[from] ?? 0) +
      (first && first.first !== from ? first.beforeTokens : 0) +
      (last && last.last !== to - 1 ? last.afterTokens : 0)
    );
  };
  const repeats = overlapStarts(units, overlap);
  const best = new Array<number>(units.length + 1).fill(Number.POSITIVE_INFINITY);
  const from = new Array<Cut>(units.length + 1);
  best[0] = 0;
  for (let i = 0; i < units.length; i++) {
    const own = (i > 0 ? (units[i]?.cost ?? 0) : 0) + PASSAGE_COST;
    const begin = (best[i] ?? 0) + own;
    const noOverlap = NO_OVERLAP_COST + (NO_OVERLAP_FACTOR * own * overlap) / Math.max(1, limit - overlap);
    for (let j = i + 1; j <= units.length; j++) {
      const core = tokensOf(i, j);
      // One unit alone is always taken: it was made to fit.
      if (core > limit && j > i + 1) {
        if ((sums[j] ?? 0) - (sums[i] ?? 0) > limit) break;
        continue;
      }
      const repeat = repeats[i] ?? i;
      const fits = repeat < i && tokensOf(repeat, j) <= limit;
      const cost = begin + Math.max(0, 1 - core / limit) ** 2 + (repeat < i && !fits ? noOverlap : 0);
      if (cost < (best[j] ?? 0)) {
        best[j] = cost;
        from[j] = { start: fits ? repeat : i, core: i, end: j };
      }
    }
  }
  const cuts: Cut[] = [];
  for (let j = units.length; j > 0; ) {
    const cut = from[j];
    if (cut === undefined) break;
    cuts.push(cut);
    j = cut.core;
  }
  cuts.reverse();
  // A short passage is not repeated whole in the next.
  return cuts.map((cut, i) => {
    const previous = cuts[i - 1];
    let start = cut.start;
    while (previous && start < cut.core && (start <= previous.core || units[start]?.border === false)) start++;
    return { ...cut, start };
  });
}
