import { wilsonInterval } from "@rag-ft/metrics";
import { type Figure, isRetrieved, type System } from "../read/system.js";
import { recallMetrics } from "./headline.js";

export interface RecallPoint extends Figure {
  system: string;
  k: number;
}

/** Passages that every question of the test has at least, where any is missing: the depth to which ranks tell recall. */
function retrievedDepth({ answers }: System): number {
  return answers.length === 0 ? 0 : Math.min(...answers.map(({ prediction }) => prediction.retrieved_docs.length));
}

/**
 * recall@k over k. Where score.json has a k, its figure and interval are taken; the k between are counted from the predictions'
 * ranks, to the depth that was retrieved.
 */
export function recallCurve(system: System): RecallPoint[] {
  const known = new Map(recallMetrics(system).map(({ depth, name }) => [depth, name]));
  const depth = retrievedDepth(system);
  const counted = Array.from({ length: depth }, (_, i) => i + 1);
  return [...new Set([...[...known.keys()].flatMap((k) => k ?? []), ...counted])]
    .sort((a, b) => a - b)
    .flatMap((k) => {
      const figure = system.figures.get(known.get(k) ?? "");
      const hits = system.answers.filter((answer) => isRetrieved(answer, k)).length;
      if (figure) return [{ system: system.label, k, ...figure }];
      if (system.answers.length === 0) return [];
      const { low, high } = wilsonInterval(hits, system.answers.length);
      return [{ system: system.label, k, value: hits / system.answers.length, interval: [low, high] }];
    });
}
