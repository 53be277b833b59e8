/** 97.5 % point of the standard normal distribution: two tails of 2.5 %, for intervals of 95 %. */
export const Z_95 = 1.959963984540054;

/**
 * 97.5 % point of Student's t with `df` degrees of freedom, by the expansion around the normal point (Abramowitz and Stegun 26.7.5).
 * Off by less than 0.001 from 7 degrees on; below that too small, yet already at the ends of any bootstrap distribution.
 */
export function t95(df: number): number {
  const z = Z_95;
  return (
    z +
    (z ** 3 + z) / (4 * df) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * df ** 3)
  );
}

/** P(Z < -x) of a standard normal Z, for x >= 0; off by less than 1e-7 (Abramowitz and Stegun 26.2.17). */
export function normalTail(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
