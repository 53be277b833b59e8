import { formatTable, type TableRow } from "@rag-ft/core";
import type { RunVerdict } from "@rag-ft/metrics";

export type Interval = readonly [low: number, high: number];

/** A figure before and after fine-tuning. */
export interface Comparison {
  /** `recall@4`, `ROUGE-L`. */
  metric: string;
  /** What was measured; `search` is how each system looked for passages. */
  part: "retriever" | "search" | "generator";
  /** Whether a judge's verdicts are behind it. */
  isJudged?: boolean;
  base: number;
  tuned: number;
  /** What BM25, which is not trained, finds for the same questions. */
  bm25?: number;
  /** What the fine-tuned retriever and BM25 find together. */
  hybrid?: number;
  /** 95 % intervals, where they are known. */
  baseInterval?: Interval;
  tunedInterval?: Interval;
  /** Of the change, by the questions that both answered. */
  changeInterval?: Interval;
  /** Number of held-out questions behind the figures. */
  questions: number;
}

/** A held-out question with what each model made of it. */
export interface AnswerExample {
  question: string;
  gold: string;
  base: string;
  tuned: string;
}

export interface ReportData {
  /** What the figures say; undefined where nothing was compared. */
  verdict?: RunVerdict;
  comparisons: Comparison[];
  /** How many sources the questions share, where intervals are by source; else 0. */
  sources?: number;
  /** Lines beneath the table: how passages were found, and how the questions were split. */
  notes?: readonly string[];
  examples: AnswerExample[];
  /** Number of questions that the examples were taken from. */
  exampleQuestions: number;
}

/** Longest answer shown; a base model may ramble. */
const ANSWER_CHARACTERS = 400;

function signed(value: number): string {
  const text = value.toFixed(3);
  return value > 0 ? `+${text}` : text;
}

function withInterval(text: string, interval: Interval | undefined, show: (value: number) => string): string {
  return interval ? `${text} (${show(interval[0])} to ${show(interval[1])})` : text;
}

/** Two places tell all that an interval of some dozens of questions can. */
const short = (value: number): string => value.toFixed(2);
const signedShort = (value: number): string => (value > 0 ? `+${short(value)}` : short(value));

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  if (flat === "") return "(empty)";
  return flat.length > ANSWER_CHARACTERS ? `${flat.slice(0, ANSWER_CHARACTERS)}…` : flat;
}

/** `count` positions spread evenly over `total`: the choice cannot favour either model. */
export function evenlySpaced(total: number, count: number): number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, index) => Math.floor(((index + 0.5) * total) / taken));
}

/** The verdict, the best system, and what to do next, each on a line of its own. */
function verdictLines({ verdict, best, next }: RunVerdict): string {
  return [
    `Verdict: ${verdict}`,
    ...(best === undefined ? [] : [`Best system: ${best}`]),
    ...(next.length > 0 ? ["Next:", ...next.map((step, i) => `${i + 1}. ${step}`)] : []),
  ].join("\n");
}

/** The end of a run: what it says, one table, base against fine-tuned, and a few answers to read. */
export function renderReport({
  verdict,
  comparisons,
  sources = 0,
  notes = [],
  examples,
  exampleQuestions,
}: ReportData): string {
  const rows: TableRow[] = comparisons.map((row) => ({
    part: row.part,
    metric: row.metric,
    base: withInterval(row.base.toFixed(3), row.baseInterval, short),
    "fine-tuned": withInterval(row.tuned.toFixed(3), row.tunedInterval, short),
    change: withInterval(signed(row.tuned - row.base), row.changeInterval, signedShort),
    BM25: row.bm25?.toFixed(3),
    hybrid: row.hybrid?.toFixed(3),
    questions: row.questions,
  }));
  const parts: string[] = verdict ? [verdictLines(verdict)] : [];
  if (rows.length > 0) {
    // Figures that only some rows have.
    const beside = ["BM25", "hybrid"].filter((name) => rows.some((row) => row[name] !== undefined));
    const table = formatTable(rows, ["part", "metric", "base", "fine-tuned", "change", ...beside, "questions"]);
    const known = comparisons.some((row) => row.baseInterval ?? row.tunedInterval ?? row.changeInterval);
    const bySource = sources > 0 ? ` by source (${sources} sources)` : "";
    const title = `Base against fine-tuned, on held-out questions${known ? `; in brackets 95 % intervals${bySource}` : ""}`;
    parts.push([title, table, ...notes].join("\n"));
  }
  if (examples.length > 0) {
    const shown = examples.map(({ question, gold, base, tuned }, index) =>
      [
        `${index + 1}. ${oneLine(question)}`,
        `   gold:       ${oneLine(gold)}`,
        `   base:       ${oneLine(base)}`,
        `   fine-tuned: ${oneLine(tuned)}`,
      ].join("\n"),
    );
    parts.push(
      `${examples.length} of ${exampleQuestions} questions, evenly spaced through the test file\n${shown.join("\n")}`,
    );
  }
  return parts.join("\n\n");
}
