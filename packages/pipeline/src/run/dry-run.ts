import { formatTable, type PlannedRequests } from "@rag-ft/core";

/** What a stage of a dry run comes to: requests, or why there are none to show. */
export interface PlannedStage {
  id: string;
  requests?: readonly PlannedRequests[];
  /** `done already`, `asks no model`. */
  note?: string;
}

const dollars = (usd: number | undefined): string => (usd === undefined ? "no price" : usd.toFixed(4));

/** The table of a dry run: requests, tokens and cost a stage, and their sum. */
export function renderPlan(stages: readonly PlannedStage[]): string {
  const rows = stages.flatMap(({ id, requests = [], note }): Record<string, string | number>[] =>
    requests.length === 0
      ? [{ stage: id, for: note ?? "asks no model" }]
      : requests.map((planned) => ({
          stage: id,
          for: planned.purpose,
          model: planned.model,
          requests: planned.requests,
          "paid already": planned.from_store,
          "tokens in": planned.prompt_tokens,
          "tokens out": planned.completion_tokens,
          USD: dollars(planned.cost_usd),
        })),
  );
  const all = stages.flatMap(({ requests = [] }) => requests);
  const sum = (key: "requests" | "from_store" | "prompt_tokens" | "completion_tokens"): number =>
    all.reduce((total, planned) => total + planned[key], 0);
  const costs = all.map(({ cost_usd }) => cost_usd);
  const cost = costs.includes(undefined) ? undefined : costs.reduce((total: number, usd) => total + (usd ?? 0), 0);
  rows.push({
    stage: "total",
    requests: sum("requests"),
    "paid already": sum("from_store"),
    "tokens in": sum("prompt_tokens"),
    "tokens out": sum("completion_tokens"),
    USD: dollars(cost),
  });
  const columns = ["stage", "for", "model", "requests", "paid already", "tokens in", "tokens out", "USD"];
  const notes = [...new Set(all.flatMap((planned) => planned.notes))];
  return [
    "Dry run: nothing was sent or written. Prompts are counted, replies and what depends on them estimated.",
    formatTable(rows, columns),
    ...notes,
  ].join("\n");
}
