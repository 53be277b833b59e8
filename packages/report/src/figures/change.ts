import { sourceOf } from "@rag-ft/core";
import { pairedInterval } from "@rag-ft/metrics";
import type { Answered, Figure, System } from "../read/system.js";

/** Enough for two places of an interval's ends, and quick for thousands of questions; `rag-ft compare` draws more. */
export const RESAMPLES = 2000;

/** The figures of single questions that a mean in score.json was made of. */
function shareOf({ prediction }: Answered, name: string): number | undefined {
  return prediction.figures?.[name];
}

/**
 * How a figure changed from one system to another. Where both answered the same questions and say how each one did, with the 95 % interval
 * of the differences question by question: far narrower than those of the two figures.
 */
export function changeOf(base: System, tuned: System, name: string): Figure | undefined {
  const [before, now] = [base.figures.get(name), tuned.figures.get(name)];
  if (!before || !now) return undefined;
  const value = now.value - before.value;
  const known = new Map(base.answers.map((answer) => [answer.key, shareOf(answer, name)]));
  const pairs = tuned.answers.flatMap((answer) => {
    const [a, b] = [known.get(answer.key), shareOf(answer, name)];
    return a === undefined || b === undefined ? [] : [[a, b, sourceOf(answer.prediction)] as const];
  });
  if (pairs.length < 2 || pairs.length !== tuned.answers.length || pairs.length !== base.answers.length)
    return { value };
  const { low, high } = pairedInterval(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
    { resamples: RESAMPLES, sources: pairs.map(([, , source]) => source) },
  );
  return Number.isFinite(low) && Number.isFinite(high) ? { value, interval: [low, high] } : { value };
}
