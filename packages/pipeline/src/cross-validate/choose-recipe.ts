import { mean } from "@rag-ft/metrics";
import type { FoldFigures } from "./collect-results.js";
import { rankVariants } from "./race.js";
import type { CrossValidateSettings } from "./settings.js";
import { flagsOf, type Variant } from "./variants.js";

/** Which variant to train with, by the eval questions of all folds. */
export interface Recipe {
  variant: Variant;
  /** In each fold the figures of the variant that does best on that fold's own eval questions. */
  nested: FoldFigures[];
  lines: string[];
  record: object;
}

/** Chooses by the eval questions alone: those that figures are reported on have no part in it. */
export async function chooseRecipe(
  { output_dir, folds }: CrossValidateSettings,
  variants: readonly Variant[],
  read: ReadonlyMap<Variant, readonly FoldFigures[]>,
): Promise<Recipe> {
  const ranked = await rankVariants(output_dir, variants, folds);
  const [best] = ranked as [(typeof ranked)[number]];
  const { variant } = best;
  const inFold = Array.from({ length: folds }, (_, fold) =>
    ranked.reduce((one, other) => ((other.figures[fold] ?? 0) > (one.figures[fold] ?? 0) ? other : one)),
  );
  const means = ranked.map((one) => ({ name: one.variant.name, eval_figure: mean(one.figures) }));
  return {
    variant,
    nested: inFold.map((one, fold) => read.get(one.variant)?.[fold] as FoldFigures),
    lines: [
      `By the eval questions of all folds: ${means.map(({ name, eval_figure }) => `${name} ${eval_figure.toFixed(3)}`).join("; ")}.`,
      `Train with: ${flagsOf(variant)}`,
      `Chosen in the folds: ${inFold.map((one, fold) => `${fold + 1}: ${one.variant.name}`).join("; ")}. Each variant's own line above looks a little better than it is where one reads off the best; "chosen in each fold" does not.`,
    ],
    record: {
      ...variant.settings,
      name: variant.name,
      eval_figures: means,
      in_folds: inFold.map((one) => one.variant.name),
    },
  };
}
