import type { StageContext } from "@rag-ft/core";
import type { StageRegistry } from "../stage-registry.js";

/** What stages are given, the stages there are, and where tables and paths are shown. */
export interface RunPipelineContext extends StageContext {
  registry: StageRegistry;
  out(text: string): void;
}
