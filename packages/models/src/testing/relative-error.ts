/** ‖a - b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number> | undefined, b: Float32Array): number {
  if (!a || a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}
