/** A tensor of a file: row-major data in single precision. */
export interface FileTensor {
  shape: number[];
  data: Float32Array;
}

/** How named tensors go to a file and come back; `models` has the format (safetensors), which this package does not know. */
export interface TensorFiles {
  write(path: string, tensors: Iterable<readonly [string, FileTensor]>): Promise<void>;
  read(path: string): Promise<Map<string, FileTensor>>;
}
