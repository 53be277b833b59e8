import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathKind, questionId, readJsonl, UserError } from "@rag-ft/core";
import { wantsUnicodeFigures } from "@rag-ft/metrics";
import { figuresOfRow } from "./figures-of-row.js";
import { type RunRow, rowSchema } from "./run-row.js";

/** A question of a run. */
export interface RunQuestion {
  /** Id of the question; the second line with the same id has `#2` after it, and so on. */
  key: string;
  row: RunRow;
  figures: Readonly<Record<string, number>>;
}

export interface Run {
  /** The file read. */
  path: string;
  questions: RunQuestion[];
}

/** Files that hold a run's questions, as test-e2e and test-retriever name them. */
const RESULT_FILES = ["test-predictions.jsonl", "retrieval-results.jsonl"];

/** Folders below `folder`, at most two levels down, that hold results themselves. */
async function runsWithin(folder: string, levels = 2): Promise<string[]> {
  if (levels === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(folder, entry.name);
    for (const name of RESULT_FILES) if ((await pathKind(join(inner, name))) === "file") found.push(inner);
    found.push(...(await runsWithin(inner, levels - 1)));
  }
  return found;
}

async function resultFile(path: string): Promise<string> {
  const info = await stat(path).catch((cause) => {
    throw new UserError(
      `${path}: no such file or folder. Give a folder that test-e2e or test-retriever wrote, or a file of predictions.`,
      { cause },
    );
  });
  if (info.isFile()) return path;
  for (const name of RESULT_FILES) if ((await pathKind(join(path, name))) === "file") return join(path, name);
  const within = await runsWithin(path);
  throw new UserError(
    `${path}: holds neither ${RESULT_FILES.join(" nor ")}. ` +
      (within.length > 0
        ? `These folders in it do: ${within.join(", ")}. Give one of them.`
        : "Is it a run's output_dir?"),
  );
}

/**
 * Reads a run. Figures are those in the file or, where a line has none (LocalRQA's files), are computed from passages and answers.
 *
 * @throws UserError when there is nothing to read, DataError (with the line) for a line that is no prediction.
 */
export async function readRun(path: string): Promise<Run> {
  const file = await resultFile(path);
  const rows = await readJsonl(file, rowSchema, {
    what: "predictions (question and gold_docs; with them figures, or retrieved_docs, gold_answer and generated_answer)",
  });
  const unicode = wantsUnicodeFigures(rows.map(({ gold_answer = "" }) => gold_answer));
  const seen = new Map<string, number>();
  const questions = rows.map((row): RunQuestion => {
    const id = row.question_id ?? questionId(row);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return { key: times === 1 ? id : `${id}#${times}`, row, figures: row.figures ?? figuresOfRow(row, unicode) };
  });
  return { path: file, questions };
}
