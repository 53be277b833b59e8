/** 97.5 % point of the standard normal distribution: two tails of 2.5 %, for intervals of 95 %. */
export const Z_95 = 1.959963984540054;

/** Student's t for 1 to 6 degrees of freedom, where the expansion below is too small. */
const FEW_DEGREES = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469];

/**
 * 97.5 % point of Student's t with `df` degrees of freedom, a whole number from 1, by the expansion around the normal point (Abramowitz and
 * Stegun 26.7.5), which is off by less than 0.001 from 7 degrees on.
 */
export function t95(df: number): number {
  const few = FEW_DEGREES[df - 1];
  if (few !== undefined) return few;
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
