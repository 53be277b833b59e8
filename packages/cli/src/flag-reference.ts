import { markdownTable } from "@rag-ft/core";
import { type AnyStage, groupSettings, type SettingFlag } from "@rag-ft/pipeline";
import { stageUsage } from "./stage-command.js";

const NOTE = "Made from the settings by `pnpm docs:flags`; do not edit it here.";

/** A cell's text: no bar ends it, and no `<name>` is taken for HTML, no `*` for emphasis. */
const cell = (text: string): string => text.replace(/[|*]/g, "\\$&").replaceAll("<", "&lt;").replaceAll("\n", "\\n");

const code = (text: string): string => `\`${text.replaceAll("|", "\\|").replaceAll("\n", "\\n")}\``;

function meaning({ description, choices, aliases }: SettingFlag): string {
  return [
    cell(description),
    ...(choices ? [`One of ${choices.map(code).join(", ")}.`] : []),
    ...(aliases.length > 0 ? [`Also ${aliases.map((alias) => code(`--${alias}`)).join(", ")}.`] : []),
  ]
    .filter((part) => part !== "")
    .map((part, i, parts) => (i < parts.length - 1 && !/[.:]$/.test(part) ? `${part}.` : part))
    .join(" ");
}

function defaultOf({ required, defaultValue }: SettingFlag): string {
  if (required) return "required";
  return defaultValue === undefined ? "" : code(JSON.stringify(defaultValue));
}

const table = (flags: readonly SettingFlag[]): string =>
  markdownTable([
    ["flag", "value", "default", "what it does"],
    ...flags.map((flag) => [code(`--${flag.name}`), flag.kind, defaultOf(flag), meaning(flag)]),
  ]).join("\n");

/** A page of docs/reference: every flag of a stage, under the headings that its help has. */
export function flagReference(stage: AnyStage): string {
  const groups = groupSettings(stage.flags).map(({ heading, settings }) =>
    heading === undefined ? table(settings) : `## ${heading}\n\n${table(settings)}`,
  );
  const body = groups.length > 0 ? groups : ["It has no flags of its own."];
  return `${[`# rag-ft ${stage.name}`, `${stage.summary.charAt(0).toUpperCase()}${stage.summary.slice(1).replace(/[.]?$/, ".")}`, `\`\`\`sh\n${stageUsage(stage)}\n\`\`\``, NOTE, ...body].join("\n\n")}\n`;
}

/** docs/flags.md: the stages, each with its page. */
export function flagReferenceIndex(stages: readonly { name: string; summary: string }[]): string {
  const rows = stages.map(({ name, summary }) => [`[${name}](reference/${name}.md)`, cell(summary)]);
  return `${[
    "# Flags",
    "Every flag of every stage. In a configuration for [`rag-ft run`](commands.md#running-all-stages) the same names stand under `with`, without the dashes. " +
      "How flags may be written: [commands](commands.md). `--settings file.yaml` is a flag of every stage.",
    NOTE,
    markdownTable([["stage", "what it does"], ...rows]).join("\n"),
  ].join("\n\n")}\n`;
}
