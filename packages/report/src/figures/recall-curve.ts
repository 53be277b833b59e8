import { sourceOf } from "@rag-ft/core";
import { estimateMean } from "@rag-ft/metrics";
import { type Figure, isRetrieved, type System } from "../read/system.js";
import { RESAMPLES } from "./change.js";
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
      if (figure) return [{ system: system.label, k, ...figure }];
      if (system.answers.length === 0) return [];
      const hits = system.answers.map((answer) => Number(isRetrieved(answer, k)));
      const sources = system.answers.map(({ prediction }) => sourceOf(prediction));
      const { mean, low, high } = estimateMean(hits, { sources, resamples: RESAMPLES });
      return [{ system: system.label, k, value: mean, interval: [low, high] }];
    });
}
