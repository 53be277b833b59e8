import type { BootstrapOptions } from "./bootstrap.js";
import { cohensKappa } from "./cohens-kappa.js";
import { krippendorffsAlpha } from "./krippendorffs-alpha.js";
import type { Interval } from "./wilson-interval.js";

/** How far raters agree: Cohen's kappa of two, Krippendorff's alpha of more. */
export interface RaterAgreement extends Interval {
  method: "Cohen's kappa" | "Krippendorff's alpha";
  raters: number;
  /** NaN when it is not defined: all labels are the same. */
  value: number;
  /** Share of equal labels. */
  observed: number;
  /** Items that at least two have labelled. */
  n: number;
}

/** @returns undefined where no item has labels of two raters. */
export function raterAgreement(
  items: readonly ReadonlyMap<string, string>[],
  options: BootstrapOptions = {},
): RaterAgreement | undefined {
  const shared = items.filter((labels) => labels.size > 1);
  const names = [...new Set(shared.flatMap((labels) => [...labels.keys()]))];
  const [first, second] = names;
  if (first === undefined || second === undefined) return undefined;
  if (names.length > 2) {
    const { alpha, ...rest } = krippendorffsAlpha(
      shared.map((labels) => [...labels.values()]),
      options,
    );
    return { method: "Krippendorff's alpha", raters: names.length, value: alpha, ...rest };
  }
  const labelsOf = (name: string): string[] => shared.map((labels) => labels.get(name) ?? "");
  const { kappa, low, high, observed, n } = cohensKappa(labelsOf(first), labelsOf(second), options);
  return { method: "Cohen's kappa", raters: 2, value: kappa, low, high, observed, n };
}
