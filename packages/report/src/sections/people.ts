import { ANSWER_LABELS, type AnswerLabels, LABEL_KINDS, LABEL_TITLES, type PeopleSay } from "@rag-ft/core";
import { raterAgreement, wilsonInterval } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import type { Run } from "../read/read-run.js";
import type { Turns } from "../read/turns.js";
import { formatFigure } from "./format.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

/** Turns listed that people found wanting. */
const MOST_LISTED = 20;

interface Labelled {
  name: string;
  labels: AnswerLabels;
  said: PeopleSay[];
}

/** Share of the first value of a kind among answers that people agree on. */
function shareOf(said: readonly PeopleSay[], kind: (typeof LABEL_KINDS)[number]): Content {
  const values = said.flatMap((one) => one[kind] ?? []);
  const good = values.filter((value) => value === ANSWER_LABELS[kind][0]).length;
  if (values.length === 0) return "";
  const { low, high } = wilsonInterval(good, values.length);
  return formatFigure({ value: good / values.length, interval: [low, high] });
}

function agreementOf(labels: AnswerLabels, kind: (typeof LABEL_KINDS)[number]): Content {
  const found = raterAgreement(labels.ratings(kind));
  if (!found) return "";
  if (!Number.isFinite(found.value)) return "not defined: all labels are the same";
  const interval = Number.isFinite(found.low) ? { interval: [found.low, found.high] as const } : {};
  return html`${formatFigure({ value: found.value, ...interval })} ${found.method}, ${found.n} answers`;
}

function labelsTable(all: readonly Labelled[]): Content {
  const rows = all.flatMap(({ name, labels, said }) =>
    LABEL_KINDS.flatMap((kind) => {
      const values = said.filter((one) => one[kind] !== undefined || one.split.includes(kind));
      if (values.length === 0) return [];
      const splits = said.filter((one) => one.split.includes(kind)).length;
      const count = `${values.length}${splits > 0 ? `, ${splits} of them split` : ""}`;
      return [[name, ANSWER_LABELS[kind][0], shareOf(said, kind), count, agreementOf(labels, kind)]];
    }),
  );
  const columns = [
    { title: "answers of" },
    { title: "found" },
    { title: "share", number: true },
    { title: "labelled", number: true },
    { title: "agreement of reviewers" },
  ];
  return table(columns, rows);
}

const isWanting = ({ vote, people }: Turns["turns"][number]): boolean =>
  vote?.vote === "down" ||
  vote?.flag === true ||
  LABEL_KINDS.some((kind) => people?.[kind] !== undefined && people[kind] !== ANSWER_LABELS[kind][0]);

function wordsOf({ vote, people }: Turns["turns"][number]): string {
  const labels = LABEL_KINDS.flatMap((kind) => people?.[kind]?.replace("_", " ") ?? []);
  const split = (people?.split ?? []).map((kind) => `split on ${LABEL_TITLES[kind]}`);
  return [...(vote?.vote ? [`voted ${vote.vote}`] : []), ...(vote?.flag ? ["flagged"] : []), ...labels, ...split].join(
    ", ",
  );
}

function turnsPart({ path, turns }: Turns): Content {
  const count = (test: (one: Turns["turns"][number]) => boolean): number => turns.filter(test).length;
  const wanting = turns.filter(isWanting);
  const rows = wanting.slice(0, MOST_LISTED).map((one) => [one.turn.question, one.turn.answer, wordsOf(one)]);
  const more = wanting.length > rows.length ? html`<p class="muted">and ${wanting.length - rows.length} more.</p>` : "";
  return html`<h3>What users asked</h3>
<p>${turns.length} turns in <code>${path}</code>: ${count(({ vote }) => vote?.vote === "up")} voted up, ${count(({ vote }) => vote?.vote === "down")} down, ${count(({ vote }) => vote?.flag === true)} flagged, ${count(({ people }) => people !== undefined)} labelled. <code>rag-ft collect</code> makes rows of the good ones.</p>
${rows.length > 0 ? html`<h4>Found wanting</h4>${table([{ title: "question" }, { title: "answer" }, { title: "people" }], rows)}${more}` : ""}`;
}

/** What people say of answers: labels of `review`, votes of users. */
export function peopleSection({ systems, turns }: Run): Section {
  const section = { id: "people", title: "What people say" };
  const labelled: Labelled[] = [
    ...systems.flatMap(({ label, labels, answers }) =>
      labels ? [{ name: label, labels, said: answers.flatMap(({ people }) => people ?? []) }] : [],
    ),
    ...turns.flatMap(({ labels, turns: own }) =>
      labels.size > 0 ? [{ name: "turns of users", labels, said: own.flatMap(({ people }) => people ?? []) }] : [],
    ),
  ];
  if (labelled.length + turns.length === 0) {
    const how = html`<code>rag-ft review</code> with the folder of a test lets people label its answers; <code>rag-ft serve</code> keeps what users ask and vote.`;
    return { ...section, content: missing("Nobody has said anything yet.", how) };
  }
  const who = [...new Set(labelled.flatMap(({ labels }) => labels.reviewers))].map((name) => name || "somebody");
  const content = html`${
    labelled.length > 0
      ? html`<p>Labels by ${who.join(", ")}; of several reviewers, what most say. In brackets 95 % intervals.</p>${labelsTable(labelled)}`
      : ""
  }${turns.map(turnsPart)}`;
  return { ...section, content };
}
