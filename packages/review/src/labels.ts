import {
  ANSWER_LABELS,
  type AnswerLabel,
  AnswerLabels,
  answerLabelSchema,
  LABEL_KINDS,
  type LabelKind,
  openAppendLog,
  pathKind,
  RagFtError,
  readJsonl,
  UserError,
} from "@rag-ft/core";
import type { z } from "zod";

/** What `review` writes in a line besides: the question, a note, who and when. */
export interface LabelRow extends AnswerLabel {
  question?: string;
  note?: string;
  time?: string;
}

/** Labels on disk. Lines are only ever added; of several of one reviewer for the same answer the last one counts. */
export interface LabelFile {
  readonly labels: AnswerLabels;
  /** Resolves when the line is on the disk. */
  add(row: LabelRow): Promise<void>;
}

async function readLabels(path: string): Promise<AnswerLabel[]> {
  if ((await pathKind(path)) === undefined) return [];
  const what = `labels (question_id, label: ${ANSWER_LABELS.label.join(", ")})`;
  try {
    return await readJsonl(path, answerLabelSchema as z.ZodType<AnswerLabel>, { what, allowEmpty: true });
  } catch (error) {
    if (error instanceof RagFtError) throw error;
    throw new UserError(`${path}: cannot be read as a file of labels. Give labels_file another path.`, {
      cause: error,
    });
  }
}

/** Opens a file of labels, making it if it is not there. */
export async function openLabelFile(path: string): Promise<LabelFile> {
  const labels = new AnswerLabels(await readLabels(path));
  const log = await openAppendLog(path);
  return {
    labels,
    async add(row) {
      await log.add(row);
      labels.add(row);
    },
  };
}

/** What one reviewer said of an answer. */
export function ownLabel(
  labels: AnswerLabels,
  { question_id, generated_answer }: Pick<LabelRow, "question_id" | "generated_answer">,
  labeller: string,
): LabelRow | undefined {
  return labels.by(question_id, generated_answer ?? "")?.get(labeller);
}

/** Whether a reviewer has said all that is asked. */
export function isLabelled(row: LabelRow | undefined, asked: readonly LabelKind[]): boolean {
  return row !== undefined && LABEL_KINDS.every((kind) => !asked.includes(kind) || row[kind] !== undefined);
}
