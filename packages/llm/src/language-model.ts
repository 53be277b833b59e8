import type { PromptMessage } from "@rag-ft/core";

export type ChatMessage = PromptMessage;

/** The form of a reply, as a JSON schema. */
export interface ReplySchema {
  name: string;
  schema: Readonly<Record<string, unknown>>;
}

export interface CompletionOptions {
  /** 0 = greedy. */
  temperature: number;
  /** Upper limit of generated tokens. */
  max_new_tokens: number;
  /** Limit of one attempt, in milliseconds. */
  timeout_ms: number;
  /** Generation ends at the first of these; the text is cut before it. */
  stop?: readonly string[];
  signal?: AbortSignal;
  /** Gets the reply piece by piece while it is made; together the pieces are its text. A reply of which a piece was handed on is not asked for again. */
  onText?: (piece: string) => void;
  seed?: number;
  /** Local models whose chat template has `enable_thinking`: whether to think before the answer; they do not when left out. */
  thinking?: boolean;
  /** Asked for where the server can hold a model to it; a reply may still be plain text. */
  schema?: ReplySchema;
}

export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
}

/** What a completion was asked for, and what it cost. */
export interface Billed {
  /** The stage. */
  by: string;
  model: string;
  /** Undefined when the model has no price. */
  cost_usd?: number;
  /** Tokens of the prompt as we count them, to compare with the server's count. */
  estimate?: number;
}

export interface Completion {
  text: string;
  /** `stop`: the model ended or met a stop string; `length`: cut at `max_new_tokens`; others as the provider names them. */
  finish_reason: string;
  /** What the model said instead of an answer, where the server tells a refusal from a text. */
  refusal?: string;
  /** The server took thoughts out of the reply itself and gave them apart: without text, it was cut while it was thinking. */
  thought?: boolean;
  usage?: CompletionUsage;
  billed?: Billed;
  /** Wall time of the request, where the caller measured it, or its part of that of requests answered together; kept in the store, so that reused answers keep their latency. */
  seconds?: number;
}

/**
 * A model that answers. A reply may be empty or refused: `checkReply` tells. Errors: `UserError` for what no retry can heal (key, name of the model, prompt too long),
 * `CompletionError` for a request that failed after its retries, `CancelledError` when the signal was aborted.
 */
export interface LanguageModel {
  /** The name it was opened by; part of the completion store's key and of every row's provenance. */
  name: string;
  provider: "openai" | "local";
  /** Requests at once that suit the model; by its provider when left out. */
  concurrency?: number;
  complete(messages: readonly ChatMessage[], options: CompletionOptions): Promise<Completion>;
  /** Continues a raw prompt, without a chat template; texts in it may be marked by the tokenizer's `asText`. Local models only. */
  generate?(prompt: string, options: CompletionOptions): Promise<Completion>;
  close(): Promise<void>;
}
