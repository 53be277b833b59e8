import { CPU } from "./device.js";
import { DeviceMemory } from "./device-memory.js";
import { hostMemory, type TensorMemory } from "./tensor-memory.js";

/** The memory for runs on a device: its own where ONNX Runtime's JavaScript can leave tensors there, else ours, and each run copies. */
export function memoryFor(device: string = CPU): TensorMemory {
  return DeviceMemory.isFor(device) ? new DeviceMemory(device) : hostMemory;
}
