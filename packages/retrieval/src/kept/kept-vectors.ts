import { cleanTemporaries, pathKind } from "@rag-ft/core";
import type { PassageEncoder } from "../passage-encoder.js";
import { checkIndexPath, encoderFolder } from "./index-root.js";
import { readListVectors } from "./list-vectors.js";
import { textKeys, VectorParts } from "./vector-parts.js";

/** A part is written at once; one that was not written to for so long (milliseconds) is not any more, on no machine that has the folder. */
const QUIET = 600_000;

/** Where vectors of some texts come from and go to. */
export interface KeptVectors {
  /** `[texts, dimensions]`; rows of `missing` are 0. */
  vectors: Float32Array;
  /** Places of the texts that have no vector yet, ascending; of equal texts the first alone. */
  missing: number[];
  /** Parts that were damaged, and are gone. */
  damaged: number;
  /** Keeps the vectors at these places; of texts that are several times there, all get it. */
  put(places: readonly number[], made: Float32Array): Promise<void>;
}

/** Reads what is kept of these texts' vectors in the index at `root`; without it nothing is, and nothing is written. */
export async function openKeptVectors(
  root: string | undefined,
  texts: readonly string[],
  encoder: Pick<PassageEncoder, "fingerprint" | "dimensions">,
  signal?: AbortSignal,
): Promise<KeptVectors> {
  const { dimensions } = encoder;
  let vectors: Float32Array = new Float32Array(texts.length * dimensions);
  const keys = await textKeys(texts, signal);
  const places = new Map<string, number[]>();
  keys.forEach((key, place) => {
    const those = places.get(key);
    if (those) those.push(place);
    else places.set(key, [place]);
  });
  const missing = new Set(places.keys());
  const found = (key: string, vector: Float32Array): void => {
    missing.delete(key);
    for (const place of places.get(key) ?? []) vectors.set(vector, place * dimensions);
  };
  let damaged = 0;
  const parts = root === undefined ? undefined : new VectorParts(encoderFolder(root, encoder), encoder);
  if (root !== undefined) {
    await checkIndexPath(root);
    const folder = encoderFolder(root, encoder);
    if ((await pathKind(root)) === "folder") await cleanTemporaries(root, QUIET);
    for (const path of [folder, root]) {
      const list = missing.size > 0 ? await readListVectors(path, texts, encoder) : undefined;
      if (!list) continue;
      vectors = list;
      missing.clear();
      // By passage from now on: an edited one leaves the others as they are.
      await parts?.write(keys, list);
    }
    damaged = missing.size > 0 ? ((await parts?.read(found)) ?? 0) : 0;
  }
  return {
    vectors,
    missing: [...missing].map((key) => places.get(key)?.[0] as number),
    damaged,
    async put(at, made) {
      const those = at.map((place) => keys[place] as string);
      those.forEach((key, i) => {
        found(key, made.subarray(i * dimensions, (i + 1) * dimensions));
      });
      await parts?.write(those, made);
    },
  };
}
