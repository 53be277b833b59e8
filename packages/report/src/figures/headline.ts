import { type Figure, figuresAmong, isShown } from "@rag-ft/metrics";
import type { System } from "../read/system.js";

/** A figure of the registry; `name` is that in score.json. */
export type Metric = Figure;

type Figured = Pick<System, "figures">;

/** The figures of which tables of systems or of a part are made, those only that a system has, in the registry's order. */
export function headlineMetrics(systems: readonly Figured[]): Metric[] {
  return figuresAmong(systems.flatMap(({ figures }) => [...figures.keys()])).filter((metric) => isShown(metric, "own"));
}

/** Whether a figure is a share of which one direction is better, so that it may be drawn beside others. */
export function isDrawn({ share, better }: Metric): boolean {
  return share && better !== undefined;
}

/** Those that say how good answers are, for charts of a figure each and the report's first lines. */
export function answerMetrics(systems: readonly Figured[]): Metric[] {
  return headlineMetrics(systems).filter(
    (metric) => metric.part !== "retriever" && isDrawn(metric) && isShown(metric, "narrow"),
  );
}

/** recall@k of a system as its score.json names it, by k. */
export function recallMetrics({ figures }: Figured): Metric[] {
  return figuresAmong(figures.keys()).filter(({ key, depth }) => key === `recall@${depth}`);
}
