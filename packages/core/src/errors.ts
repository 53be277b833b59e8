/**
 * The kinds of failure. The process exits in one place (the CLI), which turns each into a message and a code:
 * the user's mistake (2), data that is not what it says (3), a check that fails (4), work that waits for other machines (5), our bug (70).
 */
export abstract class RagFtError extends Error {
  abstract readonly exitCode: number;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A wrong flag, a path that is not there, a key that is missing: something the user can change. */
export class UserError extends RagFtError {
  readonly exitCode = 2;
}

/** A file or a reply that is malformed. The message names place, what was found, what was expected, what to do. */
export class DataError extends RagFtError {
  readonly exitCode = 3;
}

/** A check that was asked for has found what it looks for. */
export class CheckFailedError extends RagFtError {
  readonly exitCode = 4;
}

/** What goes on has to be done elsewhere first, such as a training on other machines; all until there is kept. */
export class WaitingError extends RagFtError {
  readonly exitCode = 5;
}

/** A broken invariant of our own. */
export class InternalError extends RagFtError {
  readonly exitCode = 70;
}

/** Raised when the run was asked to stop (Ctrl-C). */
export class CancelledError extends RagFtError {
  readonly exitCode = 130;
}

/** Throws `CancelledError` when the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new CancelledError("Stopped on request.");
}

/** Replaces anything that looks like an API key, a hub token or a URL's password, so that no message can carry one. */
export function redactSecrets(text: string): string {
  return text
    .replace(/\b(sk-|hf_|sess-|key-)[A-Za-z0-9_-]{6,}/g, "$1…")
    .replace(/(:\/\/[^\s/@:]*:)[^\s"']+@/g, "$1…@")
    .replace(/([?&]password=)[^\s&"']+/gi, "$1…")
    .replace(/(bearer\s+)[A-Za-z0-9._~+/=-]{6,}/gi, "$1…");
}
