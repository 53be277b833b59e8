import { InternalError } from "@rag-ft/core";

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
