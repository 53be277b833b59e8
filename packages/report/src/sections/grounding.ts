import { figuresAmong } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import type { Run } from "../read/read-run.js";
import { intervalWords } from "./data-note.js";
import { figuresTable } from "./figures-table.js";
import type { Section } from "./section.js";

/** Figures of the registry by what they tell, in the order of the tables. */
const TABLES = [
  {
    title: "Answers and refusals",
    about:
      "Each question is asked twice: with passages that may hold its answer, and with passages that do not. The first four add up to all askings.",
    keys: [
      "answered_rightly",
      "refused_rightly",
      "answered_wrongly",
      "refused_wrongly",
      "refused_without_gold",
      "refused_with_gold",
    ],
  },
  {
    title: "Citations",
    about: "Of answers that were asked to name their passages.",
    keys: ["cites", "citation_precision", "invalid_citations"],
  },
] as const;

/** The figures of these keys that a system has, in the keys' order. */
function figuresOf({ systems }: Run, keys: readonly string[]): { name: string; title: Content }[] {
  return figuresAmong(systems.flatMap(({ figures }) => [...figures.keys()]))
    .filter(({ key }) => keys.includes(key))
    .sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key))
    .map(({ name, title, better }) => ({
      name,
      title: better === "less" ? html`${title} <span class="muted">(less is better)</span>` : title,
    }));
}

/** Whether systems refuse where they should, and name the right passages; undefined where no test asked for either. */
export function groundingSection(run: Run): Section | undefined {
  const { systems } = run;
  const content = TABLES.flatMap(({ title, about, keys }) => {
    const figures = figuresOf(run, keys);
    if (figures.length === 0) return [];
    return [html`<h3>${title}</h3><p>${about} In brackets ${intervalWords(systems)}.</p>${figuresTable(run, figures)}`];
  });
  return content.length === 0 ? undefined : { id: "grounding", title: "Refusals and citations", content };
}
