import { markdownTable } from "@rag-ft/core";
import type { FigurePart, FigureRow } from "./figure.js";
import { FIGURE_ROWS, filePrefix } from "./registry.js";

const PARTS: readonly [part: FigurePart, title: string][] = [
  ["retriever", "The retriever"],
  ["judge", "A judge's verdicts"],
  ["answer", "Answers"],
  ["cost", "Cost"],
  ["generator", "The generator in training"],
];

/** A template with its depth as `k`, as people write it. */
const withK = (template: string, k = "k"): string => template.replace("{k}", k);

const COLUMNS = ["figure", "title", "in files", "better", "shown", "what it says"];

function cellsOf(row: FigureRow): string[] {
  const { key, file = key, title, part, bare, better, share, about, level, spread } = row;
  const files = [withK(file, "<k>"), ...(bare === undefined ? [] : [bare])];
  const shown = typeof level === "string" ? level : `${level(4, 10)}, by depth`;
  return [
    `\`${withK(key)}\``,
    withK(title),
    files.map((file) => `\`${filePrefix(part)}${file}\``).join(", "),
    `${better ?? "neither"}${share ? ", share" : ""}`,
    `${shown}${spread ? ", histogram" : ""}`,
    about,
  ];
}

/** docs/figures.md: every row of the registry. */
export function figuresReference(): string {
  const sections = PARTS.flatMap(([part, title]) => [
    `## ${title}`,
    "",
    ...markdownTable([COLUMNS, ...FIGURE_ROWS.filter((row) => row.part === part).map(cellsOf)]),
    "",
  ]);
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# Figures

Made from the registry in \`packages/metrics/src/figures\` by \`npx vitest run packages/metrics -u\`; do not edit it here.

Each figure is computed from one question; \`score.json\` has the means over all questions that have it, and beside each \`<name>_ci95\`, its
95 % interval. Figures of a retriever depend on how many passages are looked at, which is the k in their names: \`recall@4\`. Figures with
several depths are taken at each of \`ks\` (1 and 4, unless told otherwise), MRR and MAP at the depth that was searched. Names of settings, such as
\`--metric_for_best_model\` and \`compare --figures\`, may be the short ones or those in files; in files of a training's eval split \`eval_\` stands
for \`test_\`.

Shown: \`lead\`, it speaks for its part; \`narrow\`, in tables of many systems; \`wide\`, in tables of one or two systems and in what is compared
between them; \`own\`, in tables of its part alone; \`file\`, in files and \`compare\` only. A figure is shown at its level and at all after it.
`;
