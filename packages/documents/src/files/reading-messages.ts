import { DataError, RagFtError, UserError } from "@rag-ft/core";
import type { LeftOutState } from "../left-out.js";
import type { SourceFile } from "../readers/reader.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import type { Included } from "./page-context.js";
import type { ReadPage } from "./read-file.js";

/** To a thread that reads: read a file; or, go on, since so many pages of it were taken. */
export type ToReader = { read: SourceFile; explain: boolean } | { taken: number };

/** From a thread that reads. */
export type FromReader =
  | { ready: true }
  | { page: Omit<ReadPage, "leftOut" | "file">; leftOut: LeftOutState }
  | { warning: string }
  | { included: Included }
  | { done: true; error?: SentError };

/** Pages that a thread sends before it waits for some to be taken: a file of millions of rows is not in memory. */
export const PAGES_AHEAD = 64;

/** An error between threads, where its class would be lost. */
export interface SentError {
  kind: "unreadable" | "data" | "user" | "other";
  message: string;
  stack?: string;
}

export function sendError(error: unknown): SentError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const kind =
    error instanceof UnreadableFileError
      ? "unreadable"
      : error instanceof DataError
        ? "data"
        : error instanceof RagFtError
          ? "user"
          : "other";
  return { kind, message, ...(stack ? { stack } : {}) };
}

export function receiveError({ kind, message, stack }: SentError): Error {
  if (kind === "unreadable") return new UnreadableFileError(message);
  if (kind === "data") return new DataError(message);
  if (kind === "user") return new UserError(message);
  const error = new Error(message);
  if (stack) error.stack = stack;
  return error;
}
