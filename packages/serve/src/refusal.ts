import { PromptTooLong } from "@rag-ft/answer";
import { CancelledError, RagFtError } from "@rag-ft/core";
import { QueueFull } from "./answers/answer-queue.js";
import { NotKept } from "./turns/turn-log.js";

/** A request that is not served, in the words and the shape of OpenAI's errors. */
export class Refusal extends Error {
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 421 | 429 | 500 | 502 | 503 | 504 | 507,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** What a client is told of an error: of one of our own no more than that it was. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof NotKept) return new Refusal(507, "not_kept", error.message);
  if (error instanceof QueueFull) {
    const seconds = String(error.retryAfter);
    return new Refusal(429, "queue_full", `${error.message} Come back in ${seconds} s.`, { "retry-after": seconds });
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return new Refusal(504, "timeout", "The answer took longer than a request may (--max_request_seconds).");
  }
  if (error instanceof CancelledError || (error instanceof DOMException && error.name === "AbortError")) {
    return new Refusal(503, "stopped", "The request was stopped.");
  }
  if (error instanceof PromptTooLong) return new Refusal(400, "context_length_exceeded", error.message);
  // The model behind the system failed, or was asked for what it cannot: the message is made for people, without secrets.
  if (error instanceof RagFtError) return new Refusal(502, "generator_failed", error.message);
  return new Refusal(500, "internal_error", "Something went wrong here; the server's log has more.");
}

/** The body of a refusal. */
export function refusalBody({ status, code, message }: Refusal): object {
  const type = status === 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
  return { error: { message, type, param: null, code } };
}
