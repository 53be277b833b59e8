import { RagFtError, redactSecrets, retryAfterMs, UserError } from "@rag-ft/core";
import { APIConnectionError, APIError } from "openai";
import { CompletionError, type CompletionErrorOptions } from "../completion-error.js";

/** Which model was asked where, with which key; the key only to be kept out of messages. */
export interface Asked {
  name: string;
  where: string;
  key: string;
}

/** Codes of a 400 that every further request would get, too. */
const PERMANENT_CODES = new Set(["unsupported_parameter", "unsupported_value", "model_not_found", "model_deprecated"]);

/** What the user can do about a failure that no retry heals; undefined for the rest. */
function permanentProblem(error: APIError, { name, where }: Asked, text: string): string | undefined {
  const { status, code } = error;
  if (status === 401 || status === 403)
    return `${where} refused the key (HTTP ${status}). Set OPENAI_API_KEY to a key that may use "${name}".`;
  if (status === 404 || status === 410 || code === "model_not_found" || code === "model_deprecated")
    return `${where} does not know the model "${name}" (HTTP ${status}). It may be misspelt, retired (as gpt-3.5-turbo is) or not open to this key: name a current model, such as gpt-4.1-mini, and check OPENAI_BASE_URL (it usually ends in /v1).`;
  if (code === "insufficient_quota" || status === 402)
    return `${where} says that the quota is used up. Check plan and billing, then run again: finished completions are kept.`;
  if (code && PERMANENT_CODES.has(code)) return `${where} takes no such request for "${name}": ${text}`;
  return undefined;
}

function optionsFor(error: APIError): CompletionErrorOptions {
  const { status, code } = error;
  const afterMs = retryAfterMs(error.headers);
  const retry = afterMs === undefined ? {} : { afterMs };
  if (status === 429) return { kind: "rate_limit", retry };
  if (status === 408 || status === 409 || (status ?? 0) >= 500) return { kind: "server_error", retry };
  if (code === "content_filter" || code === "content_policy_violation") return { kind: "content_filter" };
  return { kind: "rejected" };
}

/** Any failure of an attempt → one of our errors, without the key. `timedOut`: our own limit ended the attempt. */
export function describeError(error: unknown, asked: Asked, timedOut: boolean): RagFtError {
  if (error instanceof RagFtError) return error;
  const { name, where, key } = asked;
  // The SDK's errors carry request headers; only the text goes on, without the key, which a server may repeat.
  const shown = (text: string): string => redactSecrets(text.replaceAll(key, "…"));
  const text = shown(error instanceof Error ? error.message : String(error));
  if (timedOut)
    return new CompletionError(`${where}: no reply in time from "${name}".`, { kind: "timeout", retry: {} });
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const problem = permanentProblem(error, asked, text);
    // The cause is for our own eyes: no message or record shows it.
    return problem
      ? new UserError(problem, { cause: error })
      : new CompletionError(`${where}: ${text}`, { ...optionsFor(error), cause: error });
  }
  if (error instanceof SyntaxError)
    return new CompletionError(`${where}: the reply of "${name}" is not JSON.`, { kind: "malformed", retry: {} });
  // Before the reply (APIConnectionError) or in the middle of it (fetch's own error): what Node says of the socket.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const inner = cause?.cause instanceof Error ? cause.cause : cause;
  const detail = inner ? `${text} ${shown(inner.message)}` : text;
  return new CompletionError(`${where}: no connection (${detail}).`, { kind: "connection", retry: {} });
}

/** The server answered with an error: such requests are not billed. */
export function isSurelyUnbilled(error: unknown): boolean {
  if (error instanceof CompletionError) return ["rate_limit", "server_error", "rejected"].includes(error.kind);
  return error instanceof UserError;
}
