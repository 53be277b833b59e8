import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ANSWER_LABELS, answerLabelSchema, readJsonl, toJsonl, UserError } from "@rag-ft/core";
import { z } from "zod";

/** A line of the file of labels: what test-e2e reads, and who said it, when and why. */
export const labelRowSchema = answerLabelSchema.extend({
  question: z.string().optional(),
  note: z.string().optional(),
  labeller: z.string().optional(),
  time: z.string().optional(),
});

export type LabelRow = z.infer<typeof labelRowSchema>;

/** An answer that a label is given to: the same answer to the same question, whichever run it is from. */
export function labelKey({
  question_id,
  generated_answer,
}: Pick<LabelRow, "question_id" | "generated_answer">): string {
  return JSON.stringify([question_id, generated_answer?.trim()]);
}

/** Labels on disk. Lines are only ever added; of several for the same answer the last one counts. */
export interface LabelFile {
  /** The labels that count, by `labelKey`. */
  readonly labels: ReadonlyMap<string, LabelRow>;
  /** Resolves when the line is on the disk. */
  add(row: LabelRow): Promise<void>;
}

async function readLabels(path: string): Promise<{ rows: LabelRow[]; endsInLine: boolean }> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { rows: [], endsInLine: true };
    throw new UserError(`${path}: cannot be read as a file of labels. Give labels_file another path.`, {
      cause: error,
    });
  }
  const what = `labels (question_id, label: ${ANSWER_LABELS.join(", ")})`;
  const rows = await readJsonl(path, labelRowSchema, { what, allowEmpty: true });
  return { rows, endsInLine: text === "" || text.endsWith("\n") };
}

/** Opens a file of labels, making it if it is not there. */
export async function openLabelFile(path: string): Promise<LabelFile> {
  const { rows, endsInLine } = await readLabels(path);
  const labels = new Map(rows.map((row) => [labelKey(row), row]));
  await mkdir(dirname(path), { recursive: true });
  let lineBreak = endsInLine ? "" : "\n";
  let before: Promise<unknown> = Promise.resolve();
  const write = async (row: LabelRow): Promise<void> => {
    const file = await open(path, "a");
    try {
      // One call for the whole line: it is there or it is not.
      await file.appendFile(lineBreak + toJsonl([row]));
      await file.sync();
    } finally {
      await file.close();
    }
    lineBreak = "";
    labels.set(labelKey(row), row);
  };
  return {
    labels,
    add(row) {
      const done = before.then(() => write(row));
      // A line that failed must not keep the next from being written.
      before = done.catch(() => {});
      return done;
    },
  };
}
