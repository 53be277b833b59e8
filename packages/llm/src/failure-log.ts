import { UserError } from "@rag-ft/core";
import { CompletionError } from "./completion-error.js";

/** So many failed requests in a row mean that the provider is down, not that single passages are hard. */
const MAX_FAILURES_IN_A_ROW = 10;

/** Counts what went wrong, so that the summary can say it: nothing is dropped in silence. */
export interface FailureLog {
  /** Keeps a failed request. Rethrows what is no `CompletionError`; throws `UserError` after too many in a row. */
  failed(error: unknown): void;
  /** A request came through. */
  succeeded(): void;
  /** A reply that could not be used (`no question found in the reply`). */
  unusable(reason: string): void;
  /** Failed requests and unusable replies. */
  readonly total: number;
  /** Lines such as `3 × the OpenAI API: 500 …`, most frequent first. */
  lines(): string[];
}

export function createFailureLog(): FailureLog {
  const counts = new Map<string, number>();
  let inARow = 0;
  let total = 0;
  const add = (reason: string): void => {
    total++;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
  return {
    get total() {
      return total;
    },
    failed(error) {
      if (!(error instanceof CompletionError)) throw error;
      add(error.message);
      inARow++;
      if (inARow >= MAX_FAILURES_IN_A_ROW)
        throw new UserError(
          `${inARow} requests in a row failed, the last one so: ${error.message} Check the provider, then run the same command again: finished completions are kept.`,
          { cause: error },
        );
    },
    succeeded() {
      inARow = 0;
    },
    unusable(reason) {
      inARow = 0;
      add(reason);
    },
    lines: () => [...counts].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${count} × ${reason}`),
  };
}
