import {
  createRandom,
  type Document,
  type NumberedQaRow,
  notInPassageFile,
  pathKind,
  type Random,
  type Reporter,
  readQa,
  sourceOf,
  UserError,
} from "@rag-ft/core";
import { withoutGold } from "@rag-ft/retrieval";
import type { TrainGeneratorSettings } from "./settings.js";

/** A row with the passages that its prompt may hold besides its gold ones, best first. */
export interface RowInContext {
  row: NumberedQaRow;
  retrieved: readonly Document[];
  /** The file it was read from, where that is another than the split's. */
  file?: string;
}

export interface NoAnswerOptions {
  /** Of all rows together. */
  share: number;
  /** Passages of a prompt, as many as the others hold. */
  passages: number;
  /** The answer of these rows. */
  text: string;
  seed: number;
}

/**
 * The questions that gen-answers set apart, with their file: the one named, else the one beside the training's answers.
 *
 * @throws UserError when the one that was named is not there.
 */
export async function readNotInPassage(
  { no_answer_file, train_file }: Pick<TrainGeneratorSettings, "no_answer_file" | "train_file">,
  reporter: Reporter,
): Promise<{ file: string; rows: NumberedQaRow[] } | undefined> {
  const file = no_answer_file ?? notInPassageFile(train_file);
  if ((await pathKind(file)) !== "file") {
    if (no_answer_file === undefined) return undefined;
    throw new UserError(
      `no_answer_file: ${file} is no file. Name the *_not_in_passage.jsonl that gen-answers wrote, or leave it out.`,
    );
  }
  return { file, rows: await readQa(file, reporter) };
}

/** Questions of the split once more, with what was retrieved for them and does not answer them. */
function withoutTheirGold(
  rows: readonly RowInContext[],
  { passages, text }: NoAnswerOptions,
  wanted: number,
  random: Random,
): RowInContext[] {
  const found: RowInContext[] = [];
  for (const { row, retrieved } of random.shuffle(rows)) {
    if (found.length === wanted) break;
    const left = withoutGold(retrieved, row.gold_docs, row.gold_answer).slice(0, passages);
    if (left.length > 0) found.push({ row: { ...row, gold_docs: [], gold_answer: text }, retrieved: left });
  }
  return found;
}

/**
 * Questions that their gold passage does not answer, with that passage. What was retrieved for them might answer them, so that the others in
 * the prompt are those of a question about another page.
 */
function apartRows(
  { file, rows: apart }: { file: string; rows: readonly NumberedQaRow[] },
  rows: readonly RowInContext[],
  { text }: NoAnswerOptions,
  most: number,
  random: Random,
): RowInContext[] {
  const others = random.shuffle(rows);
  return random
    .shuffle(apart)
    .slice(0, most)
    .map((row, i) => {
      const source = sourceOf(row);
      const turned = [...others.slice(i % others.length), ...others.slice(0, i % others.length)];
      const retrieved = turned.find((other) => sourceOf(other.row) !== source)?.retrieved ?? [];
      const elsewhere = retrieved.filter(({ metadata }) => metadata.source !== source);
      return { row: { ...row, gold_answer: text }, retrieved: elsewhere, file };
    });
}

/**
 * Rows whose passages hold no answer and whose answer says so, in such a number that they are `share` of all: up to half of them questions that
 * gen-answers set apart, the others questions of the split asked once more without their gold passage. Fewer where the split has no more.
 */
export function noAnswerRows(
  rows: readonly RowInContext[],
  apart: { file: string; rows: readonly NumberedQaRow[] } | undefined,
  options: NoAnswerOptions,
): { rows: RowInContext[]; wanted: number; apart: number } {
  const { share, seed } = options;
  const wanted = Math.round((rows.length * share) / (1 - share));
  const random = createRandom(seed);
  const set = apart ? apartRows(apart, rows, options, Math.floor(wanted / 2), random) : [];
  const left = withoutTheirGold(rows, options, wanted - set.length, random);
  return { rows: [...left, ...set], wanted, apart: set.length };
}
