import type { QaRow, Reporter } from "@rag-ft/core";
import type { CompletionStore, LanguageModel, RequestTally } from "@rag-ft/llm";
import type { Labels } from "./judge-agreement.js";
import type { TestE2eSettings } from "./settings.js";

/** What all combinations share. */
export interface CellContext {
  settings: TestE2eSettings;
  rows: readonly QaRow[];
  judge?: LanguageModel;
  labels?: Labels;
  /** Whether an answer's words say that there is none. */
  refuses(answer: string): boolean;
  /** Whether the generator is asked to cite its passages. */
  citations: boolean;
  store: CompletionStore;
  tally: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
}
