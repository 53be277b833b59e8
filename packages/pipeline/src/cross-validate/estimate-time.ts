import { createRandom, type Document, type StageContext } from "@rag-ft/core";
import { openPassageEncoder } from "@rag-ft/retrieval";

/** Passages that are embedded to see how long one takes, after some that only warm up. */
const SAMPLE = 24;
const WARM_UP = 4;

/**
 * What a trained passage and its question take, in passages embedded: the backward pass costs twice the forward pass, and part of what
 * the forward pass computes is computed again.
 */
const TRAINED_PASSAGE = 3.5;

/** Seconds to embed a passage of this database with this model on this machine. */
export async function secondsAPassage(
  model: string,
  documents: readonly Document[],
  { device, seed }: { device: string; seed: number },
  context: StageContext,
): Promise<number> {
  const encoder = await openPassageEncoder(model, { ...context, device });
  try {
    const texts = createRandom(seed)
      .sample(documents, SAMPLE + WARM_UP)
      .map(({ fmt_content }) => fmt_content);
    const embed = (list: readonly string[]) => encoder.embed(list, "passage", { signal: context.signal });
    const sample = texts.slice(0, SAMPLE);
    await embed(texts.slice(-WARM_UP));
    const start = performance.now();
    await embed(sample);
    return (performance.now() - start) / 1000 / sample.length;
  } finally {
    await encoder.close();
  }
}

export interface FoldWork {
  passages: number;
  steps: number;
  /** Distinct passages a step at most: gold ones and hard negatives. */
  passagesAStep: number;
  /** How often the whole database is embedded. */
  embeddings: number;
}

/** Seconds that one training with its evaluations takes, roughly. */
export function secondsOf({ passages, steps, passagesAStep, embeddings }: FoldWork, aPassage: number): number {
  return aPassage * (embeddings * passages + TRAINED_PASSAGE * steps * passagesAStep);
}

/**
 * How often a training embeds the database: every `eval_steps`, after the last, and once for each share of interpolation; without
 * evaluations once, for the test. The index keeps the base's vectors for all, and those of the result for the test.
 */
export function evaluationsOf(
  steps: number,
  { do_eval, eval_steps, interpolate }: { do_eval: boolean; eval_steps: number; interpolate: readonly number[] },
): number {
  if (!do_eval) return 1;
  const during = eval_steps > 0 ? Math.ceil(steps / eval_steps) : 1;
  return during + interpolate.length;
}
