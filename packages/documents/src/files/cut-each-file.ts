import { stat } from "node:fs/promises";
import { hashFile } from "@rag-ft/core";
import type { CutOptions } from "../cut/cut-page.js";
import type { SourceFile } from "../readers/reader.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { type CutPage, cutReadPage } from "./cut-pages.js";
import type { Included } from "./page-context.js";
import { type ReadFileOptions, readFilePages } from "./read-file.js";
import { openReadingPool } from "./reading-pool.js";

/** That all pages of a file have come, and what they came from. */
export interface CutFileEnd {
  file: SourceFile;
  /** SHA-256 of its bytes; empty when it changed while it was read. */
  sha256: string;
  included: Included[];
  warnings: string[];
  /** It cannot be read: pages that came of it count, as they do in a run of all files. */
  unreadable: boolean;
}

export type CutFileEvent = { page: CutPage } | { end: CutFileEnd };

interface State {
  size: number;
  modified: number;
}

async function stateOf(path: string): Promise<State> {
  const info = await stat(path).catch(() => undefined);
  return { size: info?.size ?? -1, modified: info?.mtimeMs ?? -1 };
}

/**
 * Reads and cuts files one after the other, all pages of each: of what stands twice, too, since what is the first of it can lie in files that
 * others read.
 *
 * @throws DataError for a bad row of JSONL, CancelledError when the run was asked to stop
 */
export async function* cutEachFile(
  files: readonly SourceFile[],
  options: ReadFileOptions & { cut: CutOptions },
): AsyncGenerator<CutFileEvent> {
  // Threads read ahead: what a file was is looked at before any is read.
  const before: State[] = [];
  for (const { path } of files) before.push(await stateOf(path));
  let included: Included[] = [];
  let warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    options.warn(message);
  };
  const reading = { ...options, warn, included: (file: Included): void => void included.push(file) };
  const pool = await openReadingPool(files, reading);
  try {
    for (const [i, file] of files.entries()) {
      await options.turn();
      [included, warnings] = [[], []];
      let unreadable = false;
      try {
        for await (const page of pool?.read(i) ?? readFilePages(file, reading))
          yield { page: await cutReadPage(page, options.cut, options.turn) };
      } catch (error) {
        if (!(error instanceof UnreadableFileError)) throw error;
        unreadable = true;
        warn(error.message);
      }
      const sha256 = await hashFile(file.path).catch(() => "");
      const after = await stateOf(file.path);
      const isSame = after.size === before[i]?.size && after.modified === before[i]?.modified;
      yield { end: { file, sha256: isSame ? sha256 : "", included, warnings, unreadable } };
    }
  } finally {
    await pool?.close();
  }
}
