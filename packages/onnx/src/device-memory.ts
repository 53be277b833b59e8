import { KEEPING_DEVICES } from "./device.js";
import { type DeviceCopies, DevicePlace, DeviceTensor } from "./device-tensor.js";
import { createSession } from "./session.js";
import type { Session } from "./session-types.js";
import { floatTensor } from "./tensor.js";
import type { TensorMemory } from "./tensor-memory.js";
import { applyNode, input } from "./value.js";

/**
 * Arrays that stay on a device: each is copied there when a run first reads it, and back when it is asked for. ONNX Runtime cannot read such a tensor
 * from JavaScript (`getData` ends the process: onnxruntime-node 1.30 throws "not implemented" where nothing may throw), so a graph that copies does.
 */
export class DeviceMemory implements TensorMemory, DeviceCopies {
  private readonly places = new Map<Float32Array, DevicePlace>();
  private sessions: { up?: Promise<Session>; down?: Promise<Session> } = {};

  static isFor(device: string): boolean {
    return KEEPING_DEVICES.has(device);
  }

  constructor(readonly device: string) {}

  of(array: Float32Array, shape: readonly number[]): DeviceTensor {
    return new DeviceTensor(this.placeOf(array), shape);
  }

  pieces(array: Float32Array): DeviceTensor[] {
    return [this.of(array, [array.length])];
  }

  async fetch(arrays: Iterable<Float32Array> = this.places.keys()): Promise<void> {
    for (const array of arrays) await this.places.get(array)?.fetch();
  }

  wrote(arrays: Iterable<Float32Array>): void {
    for (const array of arrays) this.places.get(array)?.forget();
  }

  async close(): Promise<void> {
    for (const place of this.places.values()) place.forget();
    this.places.clear();
    const { up, down } = this.sessions;
    this.sessions = {};
    for (const session of [up, down]) await (await session)?.close();
  }

  private placeOf(array: Float32Array): DevicePlace {
    const known = this.places.get(array);
    if (known) return known;
    const made = new DevicePlace(array, this);
    this.places.set(array, made);
    return made;
  }

  async upload(place: DevicePlace): Promise<void> {
    this.sessions.up ??= this.open(["to"]);
    const shape = [place.array.length];
    await (await this.sessions.up).run(
      { from: floatTensor(place.array, shape) },
      { to: new DeviceTensor(place, shape) },
    );
  }

  async download(place: DevicePlace): Promise<void> {
    this.sessions.down ??= this.open([]);
    const shape = [place.array.length];
    await (await this.sessions.down).run(
      { from: new DeviceTensor(place, shape) },
      { to: floatTensor(place.array, shape) },
    );
  }

  private open(staying: readonly string[]): Promise<Session> {
    const from = input("from", "float32", ["elements"]);
    const [to] = applyNode("Identity", [from], [from]);
    return createSession({ outputs: to ? { to } : {} }, { device: this.device, staying });
  }
}
