import { commandLine } from "@rag-ft/core";
import { type Content, html } from "@rag-ft/page";
import type { Run } from "../read/read-run.js";
import type { StageRecord } from "../read/stage-record.js";
import { stageNames } from "./cost.js";
import type { Section } from "./section.js";
import { table } from "./table.js";

const KNOWN = new Set([
  "command",
  "command_line",
  "settings",
  "inputs",
  "outputs",
  "versions",
  "started_at",
  "seconds",
  "folder",
]);

function one(record: StageRecord, name: string): Content {
  const { settings, inputs, outputs, versions } = record;
  const others = Object.entries(record).filter(([key]) => !KNOWN.has(key));
  const show = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  const rowsOf = (entries: readonly [string, unknown][]): Content[][] =>
    entries.map(([key, value]) => [html`<code>${key}</code>`, html`<code>${show(value)}</code>`]);
  const part = (title: string, content: Content): Content => html`<h3>${title}</h3>${content}`;
  return html`<details>
<summary>${name}</summary>
${part("Command", html`<pre>${commandLine(record)}</pre>`)}
${Object.keys(inputs).length > 0 ? part("Inputs", table([{ title: "file or folder" }, { title: "SHA-256" }], rowsOf(Object.entries(inputs)))) : ""}
${part("Settings", table([{ title: "setting" }, { title: "value" }], rowsOf(Object.entries(settings))))}
${part("Outputs", html`<ul class="plain">${outputs.map((path) => html`<li><code>${path}</code></li>`)}</ul>`)}
${part("Versions", table([{ title: "what" }, { title: "version" }], rowsOf(Object.entries(versions))))}
${others.length > 0 ? part("Also recorded", table([{ title: "what" }, { title: "value" }], rowsOf(others))) : ""}
</details>`;
}

/** Values that all records share, or each of those that occur. */
function distinct(values: readonly unknown[]): string {
  return [...new Set(values.filter((value) => value !== undefined).map(String))].join(", ");
}

/** What the run was made of and with: enough to repeat it. */
export function provenanceSection({ records }: Run): Section {
  const names = stageNames(records);
  const versions = [...new Set(records.flatMap((record) => Object.keys(record.versions)))];
  const facts: Content[][] = [
    ...versions.map((name) => [name, distinct(records.map((record) => record.versions[name]))]),
    ["seeds", distinct(records.map(({ settings }) => settings.seed))],
  ];
  const content = html`${table([{ title: "what" }, { title: "value" }], facts)}
<p>Each stage with its command, the hashes of its inputs (models too), its settings and outputs:</p>
${records.map((record, i) => one(record, names[i] ?? record.command))}`;
  return { id: "provenance", title: "Settings and provenance", content };
}
