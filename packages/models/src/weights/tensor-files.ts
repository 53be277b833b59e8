import type { TensorFiles } from "@rag-ft/train";
import { readSafetensors } from "./read-safetensors.js";
import { writeSafetensors } from "./write-safetensors.js";

/** A trainer's state in safetensors. */
export const safetensorsFiles: TensorFiles = { write: writeSafetensors, read: readSafetensors };
