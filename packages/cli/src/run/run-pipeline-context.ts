import type { Io } from "../io.js";
import type { StageRegistry } from "../registry.js";

export interface RunPipelineContext {
  io: Io;
  registry: StageRegistry;
  signal: AbortSignal;
}
