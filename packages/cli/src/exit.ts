import { engineFailure, RagFtError, redactSecrets } from "@rag-ft/core";
import { CommanderError } from "commander";

/** The user's mistake; as `UserError.exitCode`. */
const USER_MISTAKE = 2;
/** Our bug; EX_SOFTWARE of sysexits.h. */
const OUR_BUG = 70;
const STOPPED = 130;

/** Failures of the machine that the user can mend; no stack helps with them. */
const MACHINE_ERRORS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the disk",
  EMFILE: "too many open files",
  EEXIST: "a file stands where a folder is to be made",
  ENOTDIR: "a part of the path is a file, where a folder is expected",
  EISDIR: "a folder stands where a file is expected",
};

export interface Failure {
  code: number;
  /** For stderr, ends with a newline; empty when there is nothing to say. */
  text: string;
}

/** What a failure says and the code the process ends with: the one place that decides it. Secrets never pass. */
export function describeFailure(error: unknown, stopped = false): Failure {
  const failure = describe(error, stopped);
  return { ...failure, text: redactSecrets(failure.text) };
}

function describe(error: unknown, stopped: boolean): Failure {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { code: 0, text: "" };
    return { code: USER_MISTAKE, text: `error: ${error.message.replace(/^error: /, "")}\n` };
  }
  if (error instanceof RagFtError && error.exitCode !== OUR_BUG) {
    return { code: error.exitCode, text: `error: ${error.message}\n` };
  }
  // Libraries that were given the abort signal throw their own kind of error.
  if (stopped && error instanceof Error && error.name === "AbortError") {
    return { code: STOPPED, text: "error: Stopped on request.\n" };
  }
  const engine = engineFailure(error);
  if (engine !== undefined) return { code: USER_MISTAKE, text: `error: ${engine} rag-ft doctor shows the rest.\n` };
  if (error instanceof Error) {
    const { code, path } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : MACHINE_ERRORS[code];
    if (reason !== undefined) {
      return { code: USER_MISTAKE, text: `error: ${path ? `${path}: ` : ""}${reason} (${error.message})\n` };
    }
    return { code: OUR_BUG, text: `error: ${error.message}\nThis is a bug in rag-ft.\n${stackOf(error)}` };
  }
  return { code: OUR_BUG, text: `error: ${String(error)}\nThis is a bug in rag-ft.\n` };
}

function stackOf(error: Error): string {
  const stack = `${error.stack ?? ""}\n`;
  return error.cause instanceof Error ? `${stack}caused by: ${stackOf(error.cause)}` : stack;
}
