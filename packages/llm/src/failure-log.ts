import { UserError } from "@rag-ft/core";
import { CompletionError } from "./completion-error.js";
import type { ProblemKind } from "./problem-kind.js";
import type { RequestTally } from "./requests/request-tally.js";

/** So many failed requests in a row mean that the provider is down, not that single passages are hard. */
const MAX_FAILURES_IN_A_ROW = 10;

/** These say something of a passage, not of the provider. */
const REPLIED: ReadonlySet<ProblemKind> = new Set(["empty", "truncated", "refusal", "content_filter", "unusable"]);

/** Something that was asked about in vain: its kind of problem, the reason, and what the caller says of it. */
export interface Skipped {
  kind: ProblemKind;
  reason: string;
  [subject: string]: unknown;
}

/** Counts what went wrong, so that the summary can say it: nothing is dropped in silence. */
export interface FailureLog {
  /** Keeps a failed request. Rethrows what is no `CompletionError`; throws `UserError` after too many in a row. */
  failed(error: unknown, subject?: object): void;
  /** A request came through. */
  succeeded(): void;
  /** A reply that could not be used (`no question found in the reply`). */
  unusable(reason: string, kind?: ProblemKind, subject?: object): void;
  /** Failed requests and unusable replies. */
  readonly total: number;
  /** What went wrong with each subject that was named, in an order that does not depend on time. */
  skipped(): Skipped[];
  /** Lines such as `3 × the OpenAI API: 500 …`, most frequent first. */
  lines(): string[];
}

/** With a tally, each failure is counted there by its kind, too. */
export function createFailureLog(tally?: RequestTally): FailureLog {
  const counts = new Map<string, number>();
  let inARow = 0;
  let total = 0;
  const entries: Skipped[] = [];
  const add = (reason: string, kind: ProblemKind, subject?: object): void => {
    total++;
    if (subject) entries.push({ ...subject, kind, reason });
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    tally?.problem(kind, "left_out");
  };
  return {
    get total() {
      return total;
    },
    failed(error, subject) {
      if (!(error instanceof CompletionError)) throw error;
      add(error.message, error.kind, subject);
      inARow = REPLIED.has(error.kind) ? 0 : inARow + 1;
      if (inARow >= MAX_FAILURES_IN_A_ROW)
        throw new UserError(
          `${inARow} requests in a row failed, the last one so: ${error.message} Check the provider, then run the same command again: finished completions are kept.`,
          { cause: error },
        );
    },
    succeeded() {
      inARow = 0;
    },
    unusable(reason, kind = "unusable", subject = undefined) {
      inARow = 0;
      add(reason, kind, subject);
    },
    skipped() {
      const keyed = entries.map((entry) => ({ key: JSON.stringify(entry), entry }));
      return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry);
    },
    lines: () => [...counts].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${count} × ${reason}`),
  };
}
