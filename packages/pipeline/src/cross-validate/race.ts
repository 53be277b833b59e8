import { formatSeconds, type StageContext, UserError } from "@rag-ft/core";
import { mean } from "@rag-ft/metrics";
import { evalFigure } from "./eval-figure.js";
import { modelFolder } from "./fold-steps.js";
import type { CrossValidateSettings } from "./settings.js";
import type { StepRunner } from "./step-runner.js";
import type { Variant } from "./variants.js";

/** A training and its test. */
const STEPS_A_VARIANT = 2;

/**
 * How many of `count` variants can go on: each fold that is left takes a variant `secondsAFold`, and that must fit into `left` seconds. At least one does.
 */
export function affordable(
  count: number,
  { foldsLeft, secondsAFold, left }: { foldsLeft: number; secondsAFold: number; left: number },
): number {
  if (foldsLeft === 0) return count;
  return Math.max(1, Math.min(count, Math.floor(left / (foldsLeft * secondsAFold))));
}

/** Variants by the mean of their deciding figure on the eval questions of the first `folds` folds, best first; of equal ones the earlier. */
export async function rankVariants(
  output: string,
  variants: readonly Variant[],
  folds: number,
): Promise<{ variant: Variant; figures: number[] }[]> {
  const ranked = await Promise.all(
    variants.map(async (variant) => ({
      variant,
      figures: await Promise.all(
        Array.from({ length: folds }, (_, i) => evalFigure(modelFolder(output, variant, i + 1))),
      ),
    })),
  );
  return ranked.sort((a, b) => mean(b.figures) - mean(a.figures));
}

/**
 * Trains and tests all variants fold by fold. Where a time is set, those that do worst on the eval questions so far are dropped after a fold, until the others fit
 * (racing: Maron and Moore 1994).
 *
 * @returns The variants that have all folds, in their order, and those dropped.
 */
export async function raceVariants(
  { output_dir, folds, time_budget }: CrossValidateSettings,
  variants: readonly Variant[],
  runner: StepRunner,
  { reporter }: StageContext,
): Promise<{ kept: Variant[]; dropped: Variant[] }> {
  let kept = [...variants];
  for (let fold = 1; fold <= folds; fold++) {
    const before = runner.seconds;
    for (const variant of variants) {
      if (kept.includes(variant)) await runner.run(STEPS_A_VARIANT);
      else runner.skip(STEPS_A_VARIANT);
    }
    if (time_budget === undefined || fold === folds) continue;
    const secondsAFold = (runner.seconds - before) / kept.length;
    const left = time_budget * 60 - runner.seconds;
    const foldsLeft = folds - fold;
    const count = affordable(kept.length, { foldsLeft, secondsAFold, left });
    if (fold === 1 && foldsLeft * secondsAFold > left)
      throw new UserError(
        `time_budget: one variant takes about ${formatSeconds(secondsAFold)} a fold, ${formatSeconds(runner.seconds + foldsLeft * secondsAFold)} with what was run already; ` +
          `${time_budget} minutes are too few. Give more, or fewer folds or steps; what is done stays done.`,
      );
    if (count === kept.length) continue;
    const ranked = await rankVariants(output_dir, kept, fold);
    const best = new Set(ranked.slice(0, count).map(({ variant }) => variant));
    const names = ranked.slice(count).map(({ variant, figures }) => `${variant.name} (${mean(figures).toFixed(3)})`);
    reporter.info(`time_budget: dropped after ${fold} of ${folds} folds, by their eval questions: ${names.join("; ")}`);
    kept = kept.filter((variant) => best.has(variant));
  }
  return { kept, dropped: variants.filter((variant) => !kept.includes(variant)) };
}
