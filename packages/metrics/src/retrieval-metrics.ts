/** Ids of the first `k` places, each id once: a passage that is listed twice is not found twice. */
function topIds(retrievedIds: readonly string[], k: number): Set<string> {
  return new Set(retrievedIds.slice(0, k));
}

/** The reference's `document_recall`: 1 when every gold id is among the first `k`, else 0. 0 when there is no gold id. */
export function documentRecall(retrievedIds: readonly string[], goldIds: readonly string[], k: number): number {
  const top = topIds(retrievedIds, k);
  return goldIds.length > 0 && goldIds.every((id) => top.has(id)) ? 1 : 0;
}

/** Share of the gold ids among the first `k`, in [0, 1]. 0 when there is no gold id. */
export function recallAtK(retrievedIds: readonly string[], goldIds: readonly string[], k: number): number {
  const gold = new Set(goldIds);
  if (gold.size === 0) return 0;
  const top = topIds(retrievedIds, k);
  let found = 0;
  for (const id of gold) if (top.has(id)) found++;
  return found / gold.size;
}

/** 1 / rank of the first gold id; 0 when none is retrieved. */
export function reciprocalRank(retrievedIds: readonly string[], goldIds: readonly string[]): number {
  const gold = new Set(goldIds);
  const place = retrievedIds.findIndex((id) => gold.has(id));
  return place < 0 ? 0 : 1 / (place + 1);
}

/**
 * Average precision (MAP is its mean over questions): the precision at each place that holds a gold id, summed and divided by the
 * number of gold ids. `k` looks at the first `k` places only. 0 without a gold id.
 */
export function averagePrecision(
  retrievedIds: readonly string[],
  goldIds: readonly string[],
  k = retrievedIds.length,
): number {
  const left = new Set(goldIds);
  const total = left.size;
  let found = 0;
  let sum = 0;
  retrievedIds.slice(0, k).forEach((id, place) => {
    if (!left.delete(id)) return;
    found++;
    sum += found / (place + 1);
  });
  return total === 0 ? 0 : sum / total;
}

/**
 * Ids in trec_eval's order: by score, best first, equal scores by the id that comes last in the alphabet. Scores are compared as
 * 32-bit floats, as trec_eval keeps them.
 */
export function rankByScore(scores: ReadonlyMap<string, number>): string[] {
  const rows = [...scores].map(([id, score]) => ({ id, bytes: Buffer.from(id), score: Math.fround(score) }));
  rows.sort((a, b) => b.score - a.score || Buffer.compare(b.bytes, a.bytes));
  return rows.map(({ id }) => id);
}

/**
 * nDCG of the first `k` (Järvelin and Kekäläinen 2002): gain = relevance, discount = log2(rank + 1), divided by the DCG
 * of the best order. `relevance` is a list of gold ids (each worth 1) or a map of id to relevance, of which what is not above 0
 * counts as 0. 0 without a gold id.
 */
export function ndcgAtK(
  retrievedIds: readonly string[],
  relevance: readonly string[] | ReadonlyMap<string, number>,
  k: number,
): number {
  const gains: ReadonlyMap<string, number> =
    relevance instanceof Map
      ? relevance
      : new Map((relevance as readonly string[]).map((id): [string, number] => [id, 1]));
  const dcg = (values: readonly number[]): number =>
    values.reduce((sum, value, place) => sum + value / Math.log2(place + 2), 0);
  const seen = new Set<string>();
  const found = retrievedIds.slice(0, k).map((id) => {
    if (seen.has(id)) return 0;
    seen.add(id);
    return Math.max(gains.get(id) ?? 0, 0);
  });
  const best = dcg(
    [...gains.values()]
      .filter((gain) => gain > 0)
      .sort((a, b) => b - a)
      .slice(0, k),
  );
  return best === 0 ? 0 : dcg(found) / best;
}
