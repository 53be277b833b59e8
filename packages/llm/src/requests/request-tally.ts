import { formatTable } from "@rag-ft/core";
import type { Bill, BillTotals } from "../bill/bill.js";
import type { CompletionUsage } from "../language-model.js";
import { type ProblemKind, problemKinds } from "../problem-kind.js";

type KindCounts = Partial<Record<ProblemKind, number>>;

/** All that happened to the requests of a stage. */
export interface RequestCounts {
  /** Requests sent, each once however often it was tried. */
  requests_sent: number;
  requests_from_store: number;
  prompt_tokens: number;
  completion_tokens: number;
  /** Attempts that failed and were made again. */
  tried_again: KindCounts;
  /** Requests that gave nothing usable. */
  left_out: KindCounts;
  /** Replies with something to note that were used all the same. */
  kept: KindCounts;
  /** Whether replies were held to a JSON schema; absent where none was asked for. */
  structured_outputs?: "used" | "refused by the server";
  /** What it cost; undefined where nobody keeps a bill. */
  cost?: BillTotals;
}

/** Counts what happens to requests, so that the summary and the run record can say it: nothing is dropped in silence. */
export interface RequestTally {
  readonly counts: Readonly<RequestCounts>;
  readonly bill: Bill | undefined;
  sent(): void;
  reused(): void;
  used(usage: CompletionUsage | undefined): void;
  problem(kind: ProblemKind, outcome: "tried_again" | "left_out" | "kept"): void;
  /** Whether the server takes a JSON schema for the reply. */
  structured(taken: boolean): void;
  /** For the summary: what was sent, and a table of the problems. */
  lines(): string[];
}

function costLines(bill: Bill | undefined): string[] {
  if (!bill) return [];
  const { cost_usd, earlier_cost_usd, perhaps_billed_usd, prices_of } = bill.totals;
  const usd = (amount: number): string => `${amount.toFixed(4)} USD`;
  const cost = cost_usd === undefined ? `unknown (a model has no price in ${bill.prices.path})` : usd(cost_usd);
  return [
    `Cost: ${cost}, by prices of ${prices_of}${earlier_cost_usd > 0 ? `; ${usd(earlier_cost_usd)} were paid in earlier runs` : ""}.`,
    ...(perhaps_billed_usd > 0
      ? [`Requests that got no reply may have been billed all the same: up to ${usd(perhaps_billed_usd)} more.`]
      : []),
  ];
}

export function createRequestTally(bill?: Bill): RequestTally {
  const counts: RequestCounts = {
    requests_sent: 0,
    requests_from_store: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    tried_again: {},
    left_out: {},
    kept: {},
    ...(bill ? { cost: bill.totals } : {}),
  };
  return {
    counts,
    bill,
    sent() {
      counts.requests_sent++;
    },
    reused() {
      counts.requests_from_store++;
    },
    used(usage) {
      counts.prompt_tokens += usage?.prompt_tokens ?? 0;
      counts.completion_tokens += usage?.completion_tokens ?? 0;
    },
    problem(kind, outcome) {
      counts[outcome][kind] = (counts[outcome][kind] ?? 0) + 1;
    },
    structured(taken) {
      // Once refused, it stays so: late replies to earlier requests do not change it.
      if (counts.structured_outputs !== "refused by the server")
        counts.structured_outputs = taken ? "used" : "refused by the server";
    },
    lines() {
      const { requests_sent, requests_from_store, prompt_tokens, completion_tokens, tried_again, left_out, kept } =
        counts;
      const rows = Object.entries(problemKinds)
        .map(([kind, problem]) => ({
          problem,
          "tried again": tried_again[kind as ProblemKind] ?? 0,
          "left out": left_out[kind as ProblemKind] ?? 0,
          "used all the same": kept[kind as ProblemKind] ?? 0,
        }))
        .filter((row) => row["tried again"] + row["left out"] + row["used all the same"] > 0);
      return [
        `${requests_sent} requests sent (${prompt_tokens} tokens in, ${completion_tokens} out), ${requests_from_store} answered from the store.`,
        ...costLines(bill),
        ...(counts.structured_outputs === "refused by the server"
          ? ["The server takes no JSON schema: replies were read as text."]
          : []),
        ...(rows.length === 0 ? [] : [formatTable(rows, ["problem", "tried again", "left out", "used all the same"])]),
      ];
    },
  };
}
