import { InternalError } from "@rag-ft/core";
import type { Ranked } from "../best-passages.js";

/** @throws InternalError unless there is a vector for each passage. */
export function requireVectors(vectors: Float32Array, passages: number, dimensions: number): void {
  if (vectors.length !== passages * dimensions)
    throw new InternalError(
      `${vectors.length} numbers are no vectors of ${passages} passages in ${dimensions} dimensions.`,
    );
}

/** The rows of `[rows, dimensions]`. @throws InternalError when the dimensions are others. */
export function rowsAt(all: Float32Array, dimensions: number): Float32Array[] {
  if (all.length % dimensions !== 0)
    throw new InternalError(`${all.length} numbers are no queries in ${dimensions} dimensions.`);
  return Array.from({ length: all.length / dimensions }, (_, i) => all.subarray(i * dimensions, (i + 1) * dimensions));
}

/** What a database gave of places, in the order of these, once for each. @throws InternalError where one is not there. */
export function inOrder<T>(
  ids: ArrayLike<number>,
  found: ReadonlyMap<number, T>,
  what: "passage" | "vector of passage",
): T[] {
  return Array.from(ids, (id) => {
    const one = found.get(id);
    if (one === undefined) throw new InternalError(`The ${what} ${id} is not there.`);
    return one;
  });
}

/** Rows of a database, best first, as a ranking. */
export function rankedRows(rows: readonly { id: number; score: number }[]): Ranked {
  return { ids: Int32Array.from(rows, ({ id }) => id), scores: Float64Array.from(rows, ({ score }) => score) };
}
