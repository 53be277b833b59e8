import type { CrossValidateSettings } from "./settings.js";

/** Settings that may be lists: what a recipe is told apart by. */
export const RECIPE_LISTS = [
  "learning_rate",
  "temperature",
  "max_steps",
  "dropout",
  "hard_neg_ratio",
  "positives",
] as const;

type Listed = (typeof RECIPE_LISTS)[number];

type RecipeSettings = { [Key in Listed]?: NonNullable<CrossValidateSettings[Key]>[number] };

/** One combination of the settings that are lists. */
export interface Variant {
  /** For tables: what tells it from the others; `tuned` when there is one alone. */
  name: string;
  /** For folders. */
  folder: string;
  settings: RecipeSettings & { max_steps: number };
}

const shown = (value: unknown): string => (value === undefined ? "none" : String(value));

/** Every combination, in the order of the lists. */
export function variantsOf(settings: CrossValidateSettings): Variant[] {
  const lists: Partial<Record<Listed, readonly unknown[]>> = {};
  for (const key of RECIPE_LISTS) lists[key] = settings[key] ?? [undefined];
  let recipes: Record<string, unknown>[] = [{}];
  for (const key of RECIPE_LISTS)
    recipes = recipes.flatMap((recipe) => (lists[key] ?? []).map((value) => ({ ...recipe, [key]: value })));
  const varied = RECIPE_LISTS.filter((key) => (lists[key]?.length ?? 0) > 1);
  return recipes.map((recipe) => {
    const parts = varied.map((key) => [key, shown(recipe[key])]);
    const given = Object.fromEntries(Object.entries(recipe).filter(([, value]) => value !== undefined));
    return {
      name: parts.length > 0 ? parts.map((part) => part.join(" ")).join(", ") : "tuned",
      folder: parts.length > 0 ? parts.map((part) => part.join("-")).join("_") : "tuned",
      settings: given as Variant["settings"],
    };
  });
}

/** A variant as flags of train-retriever. */
export const flagsOf = ({ settings }: Variant): string =>
  Object.entries(settings)
    .filter(([name, value]) => !(name === "max_steps" && value === -1))
    .map(([name, value]) => `--${name} ${value}`)
    .join(" ");
