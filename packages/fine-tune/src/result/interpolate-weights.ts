import { InternalError } from "@rag-ft/core";

export type NamedValues = ReadonlyMap<string, { readonly data: Float32Array }>;

/** Copies of the values, which stay when a model in memory changes. */
export function copyValues(weights: NamedValues): Map<string, { data: Float32Array }> {
  return new Map([...weights].map(([name, { data }]) => [name, { data: data.slice() }]));
}

function find(weights: NamedValues, name: string, length: number): Float32Array {
  const found = weights.get(name)?.data;
  if (found?.length !== length) throw new InternalError(`No weight ${name} of ${length} values to interpolate.`);
  return found;
}

/**
 * Sets `target` to (1 - alpha) base + alpha tuned, value by value (WiSE-FT: Wortsman et al. 2022). Computed in double precision and rounded
 * once; alpha 0 gives the base's and alpha 1 the tuned bits.
 *
 * @throws InternalError when the three do not hold the same weights.
 */
export function interpolateWeights(target: NamedValues, base: NamedValues, tuned: NamedValues, alpha: number): void {
  for (const [name, { data }] of target) {
    const from = find(base, name, data.length);
    const to = find(tuned, name, data.length);
    if (alpha === 0 || alpha === 1) data.set(alpha === 0 ? from : to);
    else for (let i = 0; i < data.length; i++) data[i] = (1 - alpha) * (from[i] as number) + alpha * (to[i] as number);
  }
}
