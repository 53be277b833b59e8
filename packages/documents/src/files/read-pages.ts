import { hashText } from "@rag-ft/core";
import { LeftOut } from "../left-out.js";
import type { Page, SourceFile } from "../readers/reader.js";
import { readerOf } from "../readers/registry.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { type Rendered, render } from "../tree/render.js";
import { type PageEvents, pageContext } from "./page-context.js";

/** A page of a file, as text. */
export interface ReadPage extends Rendered {
  file: SourceFile;
  page: Page;
  leftOut: LeftOut;
}

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

export interface ReadPagesOptions extends Pick<PageEvents, "warn" | "turn"> {
  /** Called with the number of files done. */
  onFile?: (done: number) => void;
  /** Keep what is left out, not its counts alone. */
  explain?: boolean;
  /** Grows. */
  counts: ReadCounts;
}

export const noCounts = (): ReadCounts => ({ empty: 0, identical: 0, older: 0, unreadable: 0 });

async function* pagesOf(file: SourceFile, options: ReadPagesOptions): AsyncGenerator<ReadPage> {
  const reader = readerOf(file.path);
  if (reader === undefined) return;
  let leftOut = new LeftOut(options.explain);
  const context = pageContext(file, { ...options, leaveOut: (...part) => leftOut.add(...part) });
  for await (const page of reader.read(file, context)) {
    const rendered = render(page.tree, leftOut.add);
    yield { ...rendered, file, page, leftOut };
    leftOut = new LeftOut(options.explain);
  }
}

/**
 * Reads files one after the other, page by page. Of files with one source below `node_modules` (two versions of a package) the last
 * by path is kept; other files that share a source name take their path, so that no two pages are one source. A file that cannot be
 * read is warned of and passed over.
 *
 * @throws DataError for a bad row of JSONL, CancelledError when the run was asked to stop
 */
export async function* readPages(files: readonly SourceFile[], options: ReadPagesOptions): AsyncGenerator<ReadPage> {
  const { counts, onFile = () => {} } = options;
  const last = new Map(files.map((file) => [file.source, file]));
  const seen = new Set<string>();
  for (const [i, file] of files.entries()) {
    onFile(i);
    await options.turn();
    const shared = last.get(file.source) !== file;
    if (shared && /[\\/]node_modules[\\/]/.test(file.path)) {
      counts.older++;
      continue;
    }
    const named = shared ? { ...file, source: file.path.replaceAll("\\", "/") } : file;
    try {
      for await (const page of pagesOf(named, options)) {
        const hash = page.page.source === undefined ? hashText(page.text) : undefined;
        if (page.text === "") counts.empty++;
        else if (hash !== undefined && seen.has(hash)) counts.identical++;
        else {
          if (hash !== undefined) seen.add(hash);
          yield page;
        }
      }
    } catch (error) {
      const unreadable = asUnreadable(error, file.path);
      if (unreadable === undefined) throw error;
      counts.unreadable++;
      options.warn(unreadable.message);
    }
  }
  onFile(files.length);
}

/** A page nested so deep that walking it takes more stack than there is cannot be read; other errors are none of the file. */
function asUnreadable(error: unknown, path: string): UnreadableFileError | undefined {
  if (error instanceof UnreadableFileError) return error;
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new UnreadableFileError(`${path}: its parts are nested too deep to be read. Repair or leave out the file.`, {
      cause: error,
    });
  }
  return undefined;
}
