import type { PromptFlags } from "@rag-ft/core";
import type { RequestSettings } from "@rag-ft/llm";

/** What names a generator and says how it answers; part of the settings of every stage that answers questions. */
export interface GeneratorSettings extends PromptFlags {
  /** A folder or hub id of a decoder, or a model behind the OpenAI API: see `resolveModelName`. */
  qa_model_name_or_path: string;
  /** Tokens of prompt and answer together, for a local generator. */
  max_seq_length: number;
  /** Tokens of an answer, at most. */
  max_new_tokens: number;
  /** Seconds of one attempt. */
  request_timeout: number;
  seed: number;
  /** Execution provider of a local generator. */
  device: string;
  /** Folder that remembers batches; needed with `batch` alone. */
  output_dir?: string;
}

/** Budgets and retries of generators behind an API. */
export type GeneratorRequests = Pick<
  RequestSettings,
  "requests_per_minute" | "tokens_per_minute" | "max_retries" | "dry_run" | "batch"
>;
