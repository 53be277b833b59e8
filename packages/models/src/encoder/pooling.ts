/** How the hidden states of a text become one vector, by sentence-transformers' names. */
export const POOLINGS = ["mean", "cls", "lasttoken", "max", "weightedmean"] as const;
export type Pooling = (typeof POOLINGS)[number];

/** A token's weight in its text's vector, by its place from 0 on and the text's length in tokens; all but `max` are sums of this kind. */
const WEIGHTS: Record<Exclude<Pooling, "max">, (place: number, length: number) => number> = {
  mean: (_, length) => 1 / length,
  cls: (place) => (place === 0 ? 1 : 0),
  lasttoken: (place, length) => (place === length - 1 ? 1 : 0),
  // Later tokens of a causal model have seen more (Muennighoff 2022).
  weightedmean: (place, length) => (place + 1) / ((length * (length + 1)) / 2),
};

/** The weights of a text's tokens in its vector. */
export function poolingWeights(pooling: Pooling, length: number): Float32Array {
  const weights = new Float32Array(length);
  return pooling === "max" ? weights : weights.map((_, place) => WEIGHTS[pooling](place, length));
}
