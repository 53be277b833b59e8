import { DataError } from "@rag-ft/core";
import type { ProblemKind } from "./problem-kind.js";

export interface Retry {
  /** How long the server asks to wait. */
  afterMs?: number;
  /** Another server takes the request at once. */
  elsewhere?: true | undefined;
}

export interface CompletionErrorOptions {
  kind?: ProblemKind;
  /** Set when the same request may succeed later. */
  retry?: Retry;
  cause?: unknown;
}

/** One request failed; others may still succeed. */
export class CompletionError extends DataError {
  readonly kind: ProblemKind;
  readonly retry: Retry | undefined;

  constructor(message: string, { kind = "rejected", retry, cause }: CompletionErrorOptions = {}) {
    super(message, { cause });
    this.kind = kind;
    this.retry = retry;
  }
}

/** A prompt that the model cannot take whole, whatever goes from its passages: the question itself, or what must stand with it, is too long. */
export class PromptTooLong extends CompletionError {}
