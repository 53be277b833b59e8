import { createRequire } from "node:module";

/**
 * ONNX Runtime. Loaded by `require`: where its library does not load, an import of it ends the process on Node 20 although the error is caught, and nobody could say
 * what to do.
 */
export const runtime = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");
