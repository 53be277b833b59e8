import { figuresAmong, isShown } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import type { Run } from "../read/read-run.js";
import type { System } from "../read/system.js";
import { formatFigure } from "./format.js";
import type { Section } from "./section.js";
import { table } from "./table.js";

/** A system's figures by kind of question; empty where its questions are of one kind. */
function kindsTable({ label, kinds }: System): Content[] {
  if (kinds === undefined || kinds.size === 0) return [];
  const rows = [...kinds];
  const shown = figuresAmong(rows.flatMap(([, { figures }]) => [...figures.keys()])).filter((figure) =>
    isShown(figure, "narrow"),
  );
  const columns = [
    { title: "kind" },
    { title: "questions", number: true },
    ...shown.map(({ heading }) => ({ title: heading, number: true })),
  ];
  return [
    html`<h3>${label}</h3>${table(
      columns,
      rows.map(([kind, { questions, figures }]) => [
        kind,
        questions,
        ...shown.map(({ name }) => formatFigure(figures.get(name))),
      ]),
    )}`,
  ];
}

/** Where a system is weak: figures by kind of question, such as keywords or error messages; undefined where no test has several. */
export function questionKindsSection({ systems, retrievers }: Run): Section | undefined {
  const content = [...systems, ...retrievers].flatMap(kindsTable);
  if (content.length === 0) return undefined;
  return { id: "kinds", title: "Kinds of questions", content };
}
