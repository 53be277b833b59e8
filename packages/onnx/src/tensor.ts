import type { DType, TensorData } from "./value.js";

/** A tensor with its data: shape of numbers, row-major. */
export interface Tensor {
  dtype: DType;
  shape: readonly number[];
  data: TensorData;
}

export function floatTensor(data: Float32Array, shape: readonly number[]): Tensor {
  return { dtype: "float32", shape, data };
}

/** An int64 tensor of whole numbers. */
export function intTensor(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i] as number);
  return { dtype: "int64", shape, data };
}
