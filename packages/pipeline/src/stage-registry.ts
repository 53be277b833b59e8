import type { AnyStage } from "./any-stage.js";

/** A subcommand that is a stage. Its package is loaded only when it is asked for, so that help stays instant. */
export interface StageEntry {
  summary: string;
  /** Its training can be handed to another engine: `rag-ft export <name>` writes the folder. */
  isHandedOver?: true;
  load(): Promise<AnyStage>;
}

/** Stages by name. */
export type StageRegistry = Readonly<Record<string, StageEntry>>;
