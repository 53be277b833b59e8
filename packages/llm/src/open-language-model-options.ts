import type { Reporter } from "@rag-ft/core";
import type { RequestSettings } from "./requests/request-settings.js";
import type { RequestTally } from "./requests/request-tally.js";

export interface OpenLanguageModelOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal;
  /** What a local model runs on: an execution provider of ONNX Runtime, the CPU by default. */
  device?: string;
  /** Budgets and retries of models that are asked over the network. */
  requests?: Partial<
    Pick<
      RequestSettings,
      "requests_per_minute" | "tokens_per_minute" | "max_retries" | "max_concurrency" | "dry_run" | "batch"
    >
  >;
  /** Folder that remembers batches; needed with `requests.batch`. */
  folder?: string;
  /** Counts what happens to the requests. */
  tally?: RequestTally;
}
