import { formatTable, type TableRow } from "@rag-ft/core";

/** A figure before and after fine-tuning. */
export interface Comparison {
  /** `recall@4`, `ROUGE-L`. */
  metric: string;
  /** What was measured: `retriever`, `generator`. */
  part: string;
  base: number;
  tuned: number;
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
  comparisons: Comparison[];
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

/** The end of a run: one table, base against fine-tuned, and a few answers to read. */
export function renderReport({ comparisons, examples, exampleQuestions }: ReportData): string {
  const rows: TableRow[] = comparisons.map(({ part, metric, base, tuned, questions }) => ({
    part,
    metric,
    base: base.toFixed(3),
    "fine-tuned": tuned.toFixed(3),
    change: signed(tuned - base),
    questions,
  }));
  const parts: string[] = [];
  if (rows.length > 0) {
    const table = formatTable(rows, ["part", "metric", "base", "fine-tuned", "change", "questions"]);
    parts.push(`Base against fine-tuned, on held-out questions\n${table}`);
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
