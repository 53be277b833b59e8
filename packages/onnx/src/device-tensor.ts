import { InternalError } from "@rag-ft/core";
import type * as ort from "onnxruntime-node";
import { runtime } from "./runtime.js";
import type { Tensor } from "./tensor.js";

/** Copies between arrays and a device's memory. */
export interface DeviceCopies {
  /** A place's array to the place. */
  upload(place: DevicePlace): Promise<void>;
  /** And back. */
  download(place: DevicePlace): Promise<void>;
}

/**
 * The place of an array in a device's memory. Runs read what it holds; a run that computes it anew makes a fresh tensor there, and the one before goes.
 * Until a run wants it, and after the array was written, it holds nothing.
 */
export class DevicePlace {
  private held: ort.Tensor | undefined;
  /** Whether the device has computed what the array does not hold yet. */
  private newer = false;

  constructor(
    readonly array: Float32Array,
    private readonly copies: DeviceCopies,
  ) {}

  async read(): Promise<ort.Tensor> {
    if (!this.held) {
      await this.copies.upload(this);
      this.newer = false;
    }
    if (!this.held) throw new InternalError("a copy to the device left nothing there");
    return this.held;
  }

  /** Takes what a run has computed. */
  replace(tensor: ort.Tensor): void {
    this.forget();
    this.held = tensor;
    this.newer = true;
  }

  holds(tensor: ort.Tensor): boolean {
    return this.held === tensor;
  }

  /** Brings what runs have computed into the array. */
  async fetch(): Promise<void> {
    if (!this.newer) return;
    await this.copies.download(this);
    this.newer = false;
  }

  /** Gives the device's memory back: the array counts. */
  forget(): void {
    this.held?.dispose();
    this.held = undefined;
    this.newer = false;
  }
}

/** A float32 tensor in a device's memory, of the shape that a graph takes. */
export class DeviceTensor {
  readonly dtype = "float32";

  constructor(
    readonly place: DevicePlace,
    readonly shape: readonly number[],
  ) {}

  /** The tensor for a run; the bytes of a place have no shape of their own. */
  async read(): Promise<ort.Tensor> {
    const { gpuBuffer } = await this.place.read();
    return runtime.Tensor.fromGpuBuffer(gpuBuffer, { dataType: this.dtype, dims: this.shape });
  }
}

/** What a run reads or writes: an array of ours, or a place in the device's memory. */
export type RunTensor = Tensor | DeviceTensor;

/** Those that are arrays of ours. */
export function arraysOf(tensors: Readonly<Record<string, RunTensor>>): Record<string, Tensor> {
  const arrays: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!(tensor instanceof DeviceTensor)) arrays[name] = tensor;
  }
  return arrays;
}
