import type { RagSystem } from "@rag-ft/answer";
import type { Reporter } from "@rag-ft/core";
import type { AnswerQueue } from "./answers/answer-queue.js";
import type { ServerMetrics } from "./metrics.js";
import type { TurnMemory } from "./turns/turn-memory.js";

/** Names under which the parts of the system are shown. */
export interface SystemNames {
  generator: string;
  /** Undefined where the search is by words alone. */
  retriever?: string;
}

/** What the routes work with. */
export interface ServerParts {
  /** The system as it is now: a changed database is switched to whole. */
  system: () => RagSystem;
  names: SystemNames;
  queue: AnswerQueue;
  turns: TurnMemory;
  metrics: ServerMetrics;
  reporter: Reporter;
  /** Longest time of a request, waiting included, in milliseconds. */
  requestMs: number;
}
