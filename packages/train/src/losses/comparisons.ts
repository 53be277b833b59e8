/** A query and a key, by their rows. */
export type Pair = readonly [query: number, key: number];

/** A query compared with one of its positives. */
export interface Comparison {
  query: number;
  key: number;
  /** Of the query's part in the loss: one over its positives. */
  share: number;
}

/** Far below any score, without the NaN of infinities. */
export const EXCLUDED_SCORE = -1e9;

/** One comparison a positive, those of a query together, queries in order: the label's, then those of the further positives. */
export function comparisonsOf(labels: readonly number[], positives: readonly Pair[] = []): Comparison[] {
  const keys = labels.map((label) => new Set([label]));
  for (const [query, key] of positives) keys[query]?.add(key);
  return keys.flatMap((own, query) => [...own].map((key) => ({ query, key, share: 1 / own.size })));
}

/** What is added to scores [comparisons, keys]: excluded keys are out, and so are a query's positives but for the one compared. */
export function comparisonMask(
  comparisons: readonly Comparison[],
  columns: number,
  excluded: readonly Pair[] = [],
): Float32Array {
  const out = new Map<number, Set<number>>();
  const positives = comparisons.map(({ query, key }): Pair => [query, key]);
  for (const [query, key] of [...positives, ...excluded]) {
    const own = out.get(query);
    if (own) own.add(key);
    else out.set(query, new Set([key]));
  }
  const mask = new Float32Array(comparisons.length * columns);
  comparisons.forEach(({ query, key }, row) => {
    for (const other of out.get(query) ?? []) if (other !== key) mask[row * columns + other] = EXCLUDED_SCORE;
  });
  return mask;
}

/** Rows of [rows, dimensions] by their numbers, each once at least; the same array where there are no more numbers than rows. */
export function gatherRows(rows: Float32Array, dimensions: number, numbers: readonly number[]): Float32Array {
  if (numbers.length * dimensions === rows.length) return rows;
  const gathered = new Float32Array(numbers.length * dimensions);
  numbers.forEach((from, to) => {
    gathered.set(rows.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions);
  });
  return gathered;
}

/** The reverse for gradients: those of the same row are added. */
export function scatterRows(
  gathered: Float32Array,
  dimensions: number,
  numbers: readonly number[],
  rows: number,
): Float32Array {
  if (numbers.length === rows) return gathered;
  const sums = new Float32Array(rows * dimensions);
  numbers.forEach((to, from) => {
    for (let i = 0; i < dimensions; i++)
      sums[to * dimensions + i] = (sums[to * dimensions + i] as number) + (gathered[from * dimensions + i] as number);
  });
  return sums;
}
