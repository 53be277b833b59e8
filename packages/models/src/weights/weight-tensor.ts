/** A named weight of a model, always in single precision in memory; `data` is row-major, `shape` [] for a scalar. */
export interface WeightTensor {
  shape: number[];
  data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
