import { DataError, InternalError, type Reporter, throwIfCancelled } from "@rag-ft/core";
import type { KeptVectors } from "./kept/kept-vectors.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** Texts of one call to an encoder. The vectors of a call are alike wherever it was gone on from: calls are cut from all texts, in one way. */
const TEXTS_PER_CALL = 512;
/** How long vectors may be in memory alone. */
const KEEP_EVERY_MS = 10_000;

/**
 * Cuts texts into calls: those of near-equal length together, so that little is padded. The longest come first, to know the memory early, then
 * long and short ones by turns (multiples of the golden ratio), so that the rate so far tells the time left.
 */
export function planCalls(texts: readonly string[], perCall: number): number[][] {
  const length = (place: number): number => texts[place]?.length ?? 0;
  const order = [...texts.keys()].sort((a, b) => length(b) - length(a) || a - b);
  const calls: number[][] = [];
  for (let start = 0; start < order.length; start += perCall)
    calls.push(order.slice(start, start + perCall).sort((a, b) => a - b));
  const turn = new Map(calls.map((call, i) => [call, (i * 0.618_034) % 1]));
  return calls.sort((a, b) => (turn.get(a) ?? 0) - (turn.get(b) ?? 0));
}

function requireFinite(vectors: Float32Array, places: readonly number[], dimensions: number): void {
  if (vectors.length !== places.length * dimensions)
    throw new InternalError(`The encoder gave ${vectors.length} numbers for ${places.length} x ${dimensions}.`);
  const broken = vectors.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  const passage = (places[Math.floor(broken / dimensions)] as number) + 1;
  throw new DataError(
    `The encoder gave a vector that holds ${vectors[broken]} for passage ${passage}. Check its weights.`,
  );
}

/** Embeds what is missing. What was made is kept every few seconds, and when the work is stopped or fails. */
export async function embedMissing(
  texts: readonly string[],
  encoder: PassageEncoder,
  kept: Pick<KeptVectors, "missing" | "put">,
  { reporter, signal }: { reporter: Reporter; signal: AbortSignal },
): Promise<void> {
  throwIfCancelled(signal);
  const missing = new Set(kept.missing);
  let done = texts.length - missing.size;
  const progress = reporter.start("embedding passages", texts.length, done);
  const made: { places: number[]; vectors: Float32Array }[] = [];
  let keptAt = performance.now();
  const keep = async (): Promise<void> => {
    const parts = made.splice(0);
    const vectors = new Float32Array(parts.reduce((sum, part) => sum + part.vectors.length, 0));
    let at = 0;
    for (const part of parts) {
      vectors.set(part.vectors, at);
      at += part.vectors.length;
    }
    if (at > 0)
      await kept.put(
        parts.flatMap(({ places }) => places),
        vectors,
      );
    keptAt = performance.now();
  };
  try {
    for (const call of planCalls(texts, encoder.textsPerCall ?? TEXTS_PER_CALL)) {
      const places = call.filter((place) => missing.has(place));
      if (places.length === 0) continue;
      throwIfCancelled(signal);
      const vectors = await encoder.embed(
        places.map((place) => texts[place] as string),
        "passage",
        { signal, onProgress: (embedded) => progress.update(done + embedded), keptByCaller: true },
      );
      requireFinite(vectors, places, encoder.dimensions);
      made.push({ places, vectors });
      done += places.length;
      if (encoder.textsPerCall !== undefined || performance.now() - keptAt > KEEP_EVERY_MS) await keep();
    }
  } finally {
    progress.stop();
    await keep();
  }
}
