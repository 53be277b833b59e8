import { type Content, html } from "@rag-ft/page";
import { chartFigure } from "../charts/figure.js";
import { timeChart } from "../charts/time-chart.js";
import type { Run } from "../read/read-run.js";
import type { StageRecord } from "../read/stage-record.js";
import { formatDuration, formatNumber } from "./format.js";
import type { Section } from "./section.js";
import { table } from "./table.js";

/** Stages by a name of their own: two runs of `test-e2e` differ by label or folder. */
export function stageNames(records: readonly StageRecord[]): string[] {
  return records.map(({ command, settings, folder }) => {
    if (records.filter((other) => other.command === command).length === 1) return command;
    const label = typeof settings.label === "string" ? settings.label : folder.replace(/^.*[\\/]/, "");
    return `${command}: ${label}`;
  });
}

/** Counts of a stage's requests that a reader asks for, by their names in its record. */
const COUNTS: readonly [path: readonly string[], title: string][] = [
  [["requests", "requests_sent"], "requests"],
  [["requests", "requests_from_store"], "from the store"],
  [["requests", "prompt_tokens"], "tokens in"],
  [["requests", "completion_tokens"], "tokens out"],
  [["requests", "cost", "cost_usd"], "US dollars"],
];

/** What a stage has counted of its requests, and what they cost. */
export function costsOf(record: StageRecord): [name: string, value: number][] {
  return COUNTS.flatMap(([path, title]) => {
    const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], record);
    return typeof value === "number" ? [[title, value] as [string, number]] : [];
  });
}

/** Time of each stage, and what its requests cost where that was counted. */
export function costSection({ records }: Run): Section {
  const names = stageNames(records);
  const costs = records.map((record) => new Map(costsOf(record)));
  const kinds = [...new Set(costs.flatMap((cost) => [...cost.keys()]))];
  const total = records.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows: Content[][] = records.map(({ started_at, seconds }, i) => [
    names[i],
    new Date(started_at).toISOString().slice(0, 19).replace("T", " "),
    formatDuration(seconds),
    ...kinds.map((kind) => {
      const value = costs[i]?.get(kind);
      return value === undefined ? "" : formatNumber(value);
    }),
  ]);
  const columns = [
    { title: "stage" },
    { title: "started (UTC)" },
    { title: "time", number: true },
    ...kinds.map((title) => ({ title, number: true })),
  ];
  const stages = records.map(({ seconds }, i) => ({ name: names[i] ?? "", seconds }));
  const content = html`<div class="beside">
${table(columns, [...rows, ["all stages", "", formatDuration(total), ...kinds.map(() => "")]])}
${chartFigure(
  "Time of each stage",
  timeChart(stages),
  table(
    [{ title: "stage" }, { title: "seconds", number: true }],
    stages.map(({ name, seconds }) => [name, seconds.toFixed(1)]),
  ),
)}
</div>
${kinds.length === 0 ? html`<p class="muted">No stage of this run has counted requests or tokens: models run here, or rules, cost none.</p>` : ""}`;
  return { id: "cost", title: "Time and cost", content };
}
