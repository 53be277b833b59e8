import { CPU } from "./device.js";
import type { RunTensor } from "./device-tensor.js";
import { floatTensor } from "./tensor.js";

/** Where arrays that runs read and change stand between runs. */
export interface TensorMemory {
  /** The device whose memory it is. */
  readonly device: string;
  /** An array as runs take it, in a shape that holds as many elements. */
  of(array: Float32Array, shape: readonly number[]): RunTensor;
  /** The same in pieces, flat, for work element by element. */
  pieces(array: Float32Array): RunTensor[];
  /** Brings what runs have computed into the arrays: into all of them, or into these. */
  fetch(arrays?: Iterable<Float32Array>): Promise<void>;
  /** To be told that these arrays were written: from now on runs read that. */
  wrote(arrays: Iterable<Float32Array>): void;
  close(): Promise<void>;
}

/** Elements of one piece, which stay in a processor's caches: over a whole matrix, each operator would go through memory. */
const PIECE = 2 ** 18;

/** The arrays themselves, which runs read and write where they are. */
export const hostMemory: TensorMemory = {
  device: CPU,
  of: floatTensor,
  pieces(array) {
    const made: RunTensor[] = [];
    for (let start = 0; start < array.length; start += PIECE) {
      const piece = array.subarray(start, start + PIECE);
      made.push(floatTensor(piece, [piece.length]));
    }
    return made;
  },
  fetch: async () => {},
  wrote: () => {},
  close: async () => {},
};
