/** Arithmetic mean; NaN of an empty list, so that a figure over nothing cannot pass for 0. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
