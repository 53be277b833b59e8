export * from "./tokenizer/load-tokenizer.js";
export * from "./tokenizer/tokenizer.js";
export * from "./weights/load-weights.js";
export { readSafetensors } from "./weights/read-safetensors.js";
export * from "./weights/weight-tensor.js";
export * from "./weights/write-safetensors.js";
