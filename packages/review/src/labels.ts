import {
  ANSWER_LABELS,
  answerLabelSchema,
  openAppendLog,
  pathKind,
  RagFtError,
  readJsonl,
  UserError,
} from "@rag-ft/core";
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

async function readLabels(path: string): Promise<LabelRow[]> {
  if ((await pathKind(path)) === undefined) return [];
  const what = `labels (question_id, label: ${ANSWER_LABELS.join(", ")})`;
  try {
    return await readJsonl(path, labelRowSchema, { what, allowEmpty: true });
  } catch (error) {
    if (error instanceof RagFtError) throw error;
    throw new UserError(`${path}: cannot be read as a file of labels. Give labels_file another path.`, {
      cause: error,
    });
  }
}

/** Opens a file of labels, making it if it is not there. */
export async function openLabelFile(path: string): Promise<LabelFile> {
  const rows = await readLabels(path);
  const labels = new Map(rows.map((row) => [labelKey(row), row]));
  const log = await openAppendLog(path);
  return {
    labels,
    async add(row) {
      await log.add(row);
      labels.set(labelKey(row), row);
    },
  };
}
