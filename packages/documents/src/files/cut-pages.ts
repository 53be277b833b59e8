import { hashText } from "@rag-ft/core";
import { type CutOptions, type Cutting, cutPage } from "../cut/cut-page.js";
import type { KeptFile } from "../kept/kept-file.js";
import type { KeptFiles } from "../kept/kept-files.js";
import { LeftOut } from "../left-out.js";
import type { SourceFile } from "../readers/reader.js";
import type { Rendered } from "../tree/render.js";
import type { Included } from "./page-context.js";
import { type ReadPage, readFilePages } from "./read-file.js";
import { chosenPages, distinctSources, type ReadPagesOptions } from "./read-pages.js";
import { openReadingPool } from "./reading-pool.js";

/** A page that is cut. Its title is the first heading when it gives none itself. */
export interface CutPage extends Pick<ReadPage, "file" | "page" | "leftOut"> {
  /** Of its text; empty when it has none. */
  hash: string;
  cuttings: readonly Cutting[];
}

export interface CutPagesOptions extends ReadPagesOptions {
  cut: CutOptions;
  /** What an earlier run made of these files; what this one makes is put there. */
  kept?: KeptFiles;
  /** Told how many pages of a file are taken from there. */
  onReused?(pages: number): void;
}

/** The page's title, or its first heading. */
export function titleOf({ title }: { title?: string }, { blocks }: Pick<Rendered, "blocks">): string | undefined {
  return title ?? blocks.find(({ kind }) => kind === "heading")?.headings.at(-1);
}

/** Cuts a page that was read. */
export async function cutReadPage(read: ReadPage, options: CutOptions, turn: () => Promise<void>): Promise<CutPage> {
  const { file, page, leftOut, text } = read;
  const title = titleOf(page, read);
  const cuttings = await cutPage(read, options, turn);
  return { file, page: { ...page, ...(title ? { title } : {}) }, leftOut, hash: text && hashText(text), cuttings };
}

function* pagesOfKept(file: SourceFile, { pages }: KeptFile): Generator<CutPage> {
  for (const { leftOut, ...page } of pages) yield { ...page, file, leftOut: LeftOut.of({ kinds: leftOut, parts: [] }) };
}

/**
 * Reads files as `readPages` does and cuts their pages; of files that have not changed since, what `kept` has of them.
 *
 * @throws DataError for a bad row of JSONL, CancelledError when the run was asked to stop
 */
export async function* cutPages(files: readonly SourceFile[], options: CutPagesOptions): AsyncGenerator<CutPage> {
  const { kept, cut, turn, counts } = options;
  const distinct = distinctSources(files, counts);
  const found = new Map<SourceFile, KeptFile>();
  for (const file of kept ? distinct : []) {
    await turn();
    const one = await kept?.find(file);
    if (one) found.set(file, one);
  }
  const changed = distinct.filter((file) => !found.has(file));
  let warnings: string[] = [];
  let included: Included[] = [];
  const reading = {
    ...options,
    warn: (message: string): void => {
      warnings.push(message);
      options.warn(message);
    },
    included: (file: Included): void => void included.push(file),
  };
  const pool = await openReadingPool(changed, reading);
  let next = 0;
  async function* read(file: SourceFile): AsyncGenerator<CutPage> {
    warnings = [];
    included = [];
    const pages: KeptFile["pages"] = [];
    for await (const page of pool?.read(next++) ?? readFilePages(file, reading)) {
      const made = await cutReadPage(page, cut, turn);
      const { hash, cuttings, leftOut } = made;
      if (kept) pages.push({ hash, page: made.page, cuttings, leftOut: leftOut.state().kinds });
      yield made;
    }
    await kept?.put(file.path, { included, warnings, pages });
  }
  async function* pagesOf(file: SourceFile): AsyncGenerator<CutPage> {
    const one = found.get(file);
    if (one === undefined) yield* read(file);
    else {
      for (const warning of one.warnings) options.warn(warning);
      options.onReused?.(one.pages.length);
      yield* pagesOfKept(file, one);
    }
  }
  try {
    yield* chosenPages(distinct, {
      ...options,
      skipped: files.length - distinct.length,
      pagesOf,
      hashOf: ({ hash }) => hash,
    });
  } finally {
    await pool?.close();
  }
}
