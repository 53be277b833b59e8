import { DataError } from "@rag-ft/core";
import { decodeBrainFloats, decodeHalves, encodeBrainFloats, encodeHalves, overflowOfHalves } from "./half.js";
import { elementCount, type WeightTensor } from "./weight-tensor.js";

/** Types of 16 bits, as safetensors names them. */
export type HalfType = "F16" | "BF16";

/**
 * A weight that stays in 16 bits and is never changed. `data` is a fresh array of its values in single precision each time it is read: what is
 * written there is lost.
 */
export class HalfWeight implements WeightTensor {
  /** @param bits Row-major, IEEE 754 binary16 or the upper half of binary32. */
  constructor(
    readonly type: HalfType,
    readonly shape: number[],
    readonly bits: Uint16Array<ArrayBuffer>,
  ) {}

  get data(): Float32Array {
    const data = new Float32Array(this.bits.length);
    (this.type === "F16" ? decodeHalves : decodeBrainFloats)(this.bits, data, 0);
    return data;
  }

  /** A weight to be filled part by part. */
  static empty(type: HalfType, shape: number[]): HalfWeight {
    return new HalfWeight(type, shape, new Uint16Array(elementCount(shape)));
  }

  /**
   * Puts values at index `at`, rounded to nearest, ties to even.
   *
   * @throws DataError naming `what` when a value is beyond the type.
   */
  fill(values: Float32Array, at: number, what: string): void {
    const bits = this.type === "F16" ? encodeHalves(values) : encodeBrainFloats(values);
    const lost = this.type === "F16" ? overflowOfHalves(bits, values) : undefined;
    if (lost !== undefined) {
      throw new DataError(`${what}: ${lost} is beyond fp16 (at most 65504). Give --base_dtype bf16, or fp32.`);
    }
    this.bits.set(bits, at);
  }
}
