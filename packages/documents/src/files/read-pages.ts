import { hashText } from "@rag-ft/core";
import { CountedOccurrences, type Occurrences } from "../occurrences.js";
import type { SourceFile } from "../readers/reader.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { type ReadFileOptions, type ReadPage, readFilePages } from "./read-file.js";
import { openReadingPool } from "./reading-pool.js";

/** Files and pages that gave nothing, and why. */
export interface ReadCounts {
  /** Pages without any text. */
  empty: number;
  /** Files with the same text as an earlier one (a package that is there twice). */
  identical: number;
  /** Files of a package of which a later version is there too. */
  older: number;
  /** Files that are not what their names say, or too large; each was warned of. */
  unreadable: number;
}

export interface ReadPagesOptions extends ReadFileOptions {
  /** Called with the number of files done. */
  onFile?: (done: number) => void;
  /** Grows. */
  counts: ReadCounts;
}

export const noCounts = (): ReadCounts => ({ empty: 0, identical: 0, older: 0, unreadable: 0 });

/**
 * Of files with one source below `node_modules` (two versions of a package) the last by path; other files that share a source name
 * take their path, so that no two pages are one source.
 */
export function distinctSources(files: readonly SourceFile[], counts: ReadCounts): SourceFile[] {
  const last = new Map(files.map((file) => [file.source, file]));
  return files.flatMap((file) => {
    if (last.get(file.source) === file) return [file];
    if (!/[\\/]node_modules[\\/]/.test(file.path)) return [{ ...file, source: file.path.replaceAll("\\", "/") }];
    counts.older++;
    return [];
  });
}

interface ChosenPages<File, Read> extends ReadPagesOptions {
  /** Files that were left out before. */
  skipped: number;
  pagesOf(file: File, index: number): AsyncIterable<Read>;
  /** Hash of a page's text; empty when there is none. */
  hashOf(page: Read): string;
  /** Of these hashes. */
  seen?: Occurrences;
}

/** Pages with text, each text once, of one file after the other. A file that cannot be read is warned of and passed over. */
export async function* chosenPages<File, Read extends Pick<ReadPage, "page">>(
  files: Iterable<File>,
  {
    counts,
    skipped,
    pagesOf,
    hashOf,
    seen = new CountedOccurrences(),
    onFile = () => {},
    turn,
    warn,
  }: ChosenPages<File, Read>,
): AsyncGenerator<Read> {
  let i = -1;
  for (const file of files) {
    i++;
    onFile(skipped + i);
    await turn();
    try {
      for await (const page of pagesOf(file, i)) {
        const hash = hashOf(page);
        if (hash === "") counts.empty++;
        // Rows of JSONL name their source: two sources may say the same.
        else if (page.page.source !== undefined) yield page;
        else if (seen.next(hash) > 1) counts.identical++;
        else yield page;
      }
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      counts.unreadable++;
      warn(error.message);
    }
  }
  onFile(skipped + i + 1);
}

/**
 * Reads files one after the other, page by page; many or large ones in threads of their own, ahead of what is asked for. A file that
 * cannot be read is warned of and passed over.
 *
 * @throws DataError for a bad row of JSONL, CancelledError when the run was asked to stop
 */
export async function* readPages(files: readonly SourceFile[], options: ReadPagesOptions): AsyncGenerator<ReadPage> {
  const distinct = distinctSources(files, options.counts);
  const pool = await openReadingPool(distinct, options);
  try {
    yield* chosenPages<SourceFile, ReadPage>(distinct, {
      ...options,
      skipped: files.length - distinct.length,
      pagesOf: (file, i) => pool?.read(i) ?? readFilePages(file, options),
      hashOf: ({ text }) => text && hashText(text),
    });
  } finally {
    await pool?.close();
  }
}
