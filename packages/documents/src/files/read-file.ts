import { LeftOut } from "../left-out.js";
import type { Page, SourceFile } from "../readers/reader.js";
import { readerOf } from "../readers/registry.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { type Rendered, render } from "../tree/render.js";
import { type PageEvents, pageContext } from "./page-context.js";

/** A page of a file, as text. */
export interface ReadPage extends Rendered {
  file: SourceFile;
  page: Omit<Page, "tree">;
  leftOut: LeftOut;
}

export interface ReadFileOptions extends Pick<PageEvents, "warn" | "turn" | "included"> {
  /** Keep what is left out, not its counts alone. */
  explain?: boolean;
}

/** A page nested so deep that walking it takes more stack than there is cannot be read; other errors are none of the file. */
function asUnreadable(error: unknown, path: string): unknown {
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    const message = `${path}: its parts are nested too deep to be read. Repair or leave out the file.`;
    return new UnreadableFileError(message, { cause: error });
  }
  return error;
}

/**
 * The pages of one file.
 *
 * @throws UnreadableFileError when it cannot be read, DataError for a bad row of JSONL
 */
export async function* readFilePages(file: SourceFile, options: ReadFileOptions): AsyncGenerator<ReadPage> {
  const reader = readerOf(file.path);
  if (reader === undefined) return;
  let leftOut = new LeftOut(options.explain);
  const context = pageContext(file, { ...options, leaveOut: (...part) => leftOut.add(...part) });
  try {
    for await (const { tree, ...page } of reader.read(file, context)) {
      const rendered = render(tree, leftOut.add);
      yield { ...rendered, file, page, leftOut };
      leftOut = new LeftOut(options.explain);
    }
  } catch (error) {
    throw asUnreadable(error, file.path);
  }
}
