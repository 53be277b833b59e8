import type { TwoByTwo, TwoByTwoCell } from "@rag-ft/core";

/** Before or after tuning. */
export type Side = TwoByTwoCell["generator"];
/** Where a prompt's passages come from: a retriever, the question's own gold passages, or nowhere. */
export type PassageOrigin = TwoByTwoCell["passages"];
/** Base and tuned model of each half; equal names where only the other half was tuned. */
export type ComparedModels = TwoByTwo["models"];

/** One combination of passages and generator. */
export type Cell = Pick<TwoByTwoCell, "name" | "label" | "passages" | "generator" | "folder">;

const PASSAGES: Record<PassageOrigin, { name: string; label: string }> = {
  none: { name: "no-passages", label: "no passages" },
  base: { name: "base-retriever", label: "base retriever" },
  tuned: { name: "tuned-retriever", label: "tuned retriever" },
  gold: { name: "gold-passages", label: "gold passages" },
};

export function cellOf(passages: PassageOrigin, generator: Side): Cell {
  const name = `${PASSAGES[passages].name}_${generator}-generator`;
  // The system under test keeps the place it has without a comparison.
  const folder = passages === "tuned" && generator === "tuned" ? "." : `cells/${name}`;
  return { name, label: `${PASSAGES[passages].label} + ${generator} generator`, passages, generator, folder };
}

/** Base before tuned; only tuned where both are the same model. */
export function sidesOf(models: { base: string; tuned: string }): Side[] {
  return models.base === models.tuned ? ["tuned"] : ["base", "tuned"];
}

/** The cells of a test: the system alone, or every combination. */
export function cellsOf({ compare_base }: { compare_base: boolean }, models: ComparedModels): Cell[] {
  return compare_base ? planCells(models) : [cellOf("tuned", "tuned")];
}

/** Every combination, by generator, and within it from no passages to the gold ones. */
export function planCells(models: ComparedModels): Cell[] {
  const origins: PassageOrigin[] = ["none", ...sidesOf(models.retriever), "gold"];
  return sidesOf(models.generator).flatMap((side) => origins.map((passages) => cellOf(passages, side)));
}
