import { throwIfCancelled } from "@rag-ft/core";
import type { PassageEncoder } from "../passage-encoder.js";
import { encoderFolder } from "./index-root.js";
import { textKeys, VectorParts } from "./vector-parts.js";

/** Vectors of texts that are no passages of an index, by the keys of the texts. */
class KeptTexts {
  private known: Promise<Map<string, Float32Array>> | undefined;

  constructor(private readonly parts: VectorParts) {}

  /** All that are kept: few beside a database's, so they are held. */
  all(): Promise<Map<string, Float32Array>> {
    this.known ??= this.read();
    return this.known;
  }

  async put(keys: readonly string[], vectors: Float32Array, dimensions: number): Promise<void> {
    const known = await this.all();
    keys.forEach((key, i) => {
      known.set(key, vectors.slice(i * dimensions, (i + 1) * dimensions));
    });
    await this.parts.write(keys, vectors);
  }

  private async read(): Promise<Map<string, Float32Array>> {
    const known = new Map<string, Float32Array>();
    await this.parts.read((key, vector) => known.set(key, vector.slice()));
    return known;
  }
}

/**
 * An encoder whose vectors cost money, and are bought once: those of questions are kept beside the passages' in the index at `root`, each
 * request's at once. The passages of a database are kept by `openIndex`, there unless it is told another place.
 */
export function keepingEncoder(encoder: PassageEncoder, root: string): PassageEncoder {
  const { dimensions, settings, textsPerCall = 1 } = encoder;
  const kept = new KeptTexts(new VectorParts(`${encoderFolder(root, encoder)}-questions`, encoder));
  return {
    ...encoder,
    keptIn: root,
    async embed(texts, kind, options = {}) {
      if (options.keptByCaller) return encoder.embed(texts, kind, options);
      const prefix = kind === "query" ? settings.query_prefix : settings.passage_prefix;
      const keys = await textKeys(
        texts.map((text) => prefix + text),
        options.signal,
      );
      const known = await kept.all();
      const missing = [...new Map(keys.map((key, i) => [key, texts[i] as string]))].filter(([key]) => !known.has(key));
      const there = texts.length - missing.length;
      for (let start = 0; start < missing.length; start += textsPerCall) {
        if (options.signal) throwIfCancelled(options.signal);
        const part = missing.slice(start, start + textsPerCall);
        const wanted = part.map(([, text]) => text);
        const made = await encoder.embed(wanted, kind, {
          ...options,
          onProgress: (done) => options.onProgress?.(there + start + done, texts.length),
        });
        await kept.put(
          part.map(([key]) => key),
          made,
          dimensions,
        );
      }
      const vectors = new Float32Array(texts.length * dimensions);
      keys.forEach((key, i) => {
        vectors.set(known.get(key) as Float32Array, i * dimensions);
      });
      return vectors;
    },
  };
}
