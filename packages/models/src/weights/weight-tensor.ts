/** A named weight of a model in single precision; `data` is row-major, `shape` [] for a scalar. In 16 bits it is a `HalfWeight`. */
export interface WeightTensor {
  shape: number[];
  data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
