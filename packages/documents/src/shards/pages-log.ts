// What one part of a corpus is cut into: a file of lines that only grows, so that a worker that was killed goes on after the last file that it had
// finished. The first line says what made the others. Then come, file after file, a line for each page and one that says that all pages of
// the file are there, with the hash of what they came from. A page's passages get their numbers, and what stands twice goes, when parts are merged.
import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError, hashFile, hashText, pathKind, readLines } from "@rag-ft/core";
import { z } from "zod";
import type { CutFileEnd } from "../files/cut-each-file.js";
import type { CutPage } from "../files/cut-pages.js";
import { keptIncluded, keptPage } from "../kept/kept-file.js";
import { areUnchanged } from "../kept/kept-files.js";
import { LeftOut } from "../left-out.js";
import type { SourceFile } from "../readers/reader.js";

const headSchema = z.object({ format: z.literal("rag-ft-cut-pages"), version: z.literal(1), made_by: z.string() });
const endSchema = z.object({
  end: z.number(),
  source: z.string(),
  sha256: z.string(),
  pages: z.number(),
  included: keptIncluded,
  warnings: z.array(z.string()),
  unreadable: z.boolean(),
});
const pageSchema = keptPage.extend({ file: z.number(), source: z.string() });

const rowSchema = z.union([endSchema, pageSchema]);

type EndRow = z.infer<typeof endSchema>;

const head = (madeBy: string): z.infer<typeof headSchema> => ({
  format: "rag-ft-cut-pages",
  version: 1,
  made_by: madeBy,
});

const CHUNK = 1 << 20;

/** A file of a part, with its place among all files. */
export interface PlacedFile {
  place: number;
  file: SourceFile;
}

/** What a part's files gave so far. */
export interface LogCounts {
  files: number;
  lines: number;
  pages: number;
  passages: number;
  unreadable: number;
}

const noLines = (): LogCounts => ({ files: 0, lines: 0, pages: 0, passages: 0, unreadable: 0 });

/** Whether a file, and what it takes in, are as they were when it was cut. */
async function isAsCut({ place, file }: PlacedFile, row: EndRow): Promise<boolean> {
  if (row.end !== place || row.source !== file.source || row.sha256 === "") return false;
  if ((await hashFile(file.path).catch(() => undefined)) !== row.sha256) return false;
  return areUnchanged(file, row.included);
}

interface Begun {
  counts: LogCounts;
  /** Bytes of the lines that stand. */
  bytes: number;
  /** What was said of the files. */
  warnings: string[];
}

/** How far a log goes that was made by the same, of files that have not changed since: to the end of a file. */
async function begunLog(
  path: string,
  madeBy: string,
  files: readonly PlacedFile[],
  turn: () => Promise<void>,
): Promise<Begun> {
  const begun: Begun = { counts: noLines(), bytes: 0, warnings: [] };
  if ((await pathKind(path)) !== "file") return begun;
  const { size } = await stat(path);
  const at = noLines();
  let bytes = 0;
  try {
    for await (const line of readLines(path)) {
      await turn();
      bytes += Buffer.byteLength(line) + 1;
      at.lines++;
      // Its line break is missing: it is not over.
      if (bytes > size) break;
      const value: unknown = JSON.parse(line);
      if (at.lines === 1) {
        if (headSchema.parse(value).made_by !== madeBy) return begun;
        Object.assign(begun, { counts: { ...at }, bytes });
        continue;
      }
      const row = rowSchema.parse(value);
      if (!("end" in row)) {
        at.pages++;
        at.passages += row.cuttings.length;
        continue;
      }
      const next = files[at.files];
      if (next === undefined || !(await isAsCut(next, row))) break;
      at.files++;
      if (row.unreadable) at.unreadable++;
      Object.assign(begun, { counts: { ...at }, bytes, warnings: [...begun.warnings, ...row.warnings] });
    }
  } catch (error) {
    // Half a line, where a worker was killed, or what a disk has lost.
    if (!(error instanceof SyntaxError || error instanceof z.ZodError || error instanceof DataError)) throw error;
  }
  return begun;
}

/** Whether a part's file is that of its files as they are now. */
export async function isLogOf(
  path: string,
  { madeBy, files, turn }: { madeBy: string; files: readonly PlacedFile[]; turn: () => Promise<void> },
): Promise<boolean> {
  const { counts } = await begunLog(path, madeBy, files, turn);
  return counts.lines > 0 && counts.files === files.length;
}

/** A part's file while it is made. */
export class PagesLog {
  private text = "";
  private pages = 0;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    /** What is in it. */
    readonly counts: LogCounts,
    /** What an earlier worker was told of the files that it had finished. */
    readonly warnings: readonly string[],
  ) {}

  /**
   * Opens the file in a worker's folder, and goes on with what is there, or with `earlier`: the file of a part that was done otherwise.
   */
  static async open(
    folder: string,
    earlier: string,
    { madeBy, files, turn }: { madeBy: string; files: readonly PlacedFile[]; turn: () => Promise<void> },
  ): Promise<PagesLog> {
    const path = join(folder, "pages.jsonl");
    await mkdir(dirname(path), { recursive: true });
    if ((await pathKind(path)) === undefined && (await pathKind(earlier)) === "file") await rename(earlier, path);
    const { counts, bytes, warnings } = await begunLog(path, madeBy, files, turn);
    const handle = await open(path, bytes > 0 ? "r+" : "w");
    await handle.truncate(bytes);
    await handle.close();
    const log = new PagesLog(path, await open(path, "a"), counts, warnings);
    if (bytes === 0) {
      log.line(head(madeBy));
      await log.flush();
    }
    return log;
  }

  private line(row: unknown): void {
    this.text += `${JSON.stringify(row)}\n`;
    this.counts.lines++;
  }

  private async flush(): Promise<void> {
    const { text } = this;
    this.text = "";
    await this.handle.appendFile(text);
  }

  async page({ place, file }: PlacedFile, { hash, page, cuttings, leftOut }: CutPage): Promise<void> {
    this.line({ file: place, source: file.source, hash, page, cuttings, leftOut: leftOut.state().kinds });
    this.pages++;
    this.counts.pages++;
    this.counts.passages += cuttings.length;
    if (this.text.length >= CHUNK) await this.flush();
  }

  /** All pages of the file are there: from here on a worker that was killed goes on. */
  async end({ place, file }: PlacedFile, { sha256, included, warnings, unreadable }: CutFileEnd): Promise<void> {
    const row: EndRow = { end: place, source: file.source, sha256, pages: this.pages, included, warnings, unreadable };
    this.line(row);
    this.pages = 0;
    this.counts.files++;
    if (unreadable) this.counts.unreadable++;
    await this.flush();
  }

  async close(): Promise<void> {
    try {
      await this.handle.sync();
    } finally {
      await this.handle.close();
    }
  }
}

/** A part's file, read file after file. */
export class PagesLogReader {
  private readonly lines: AsyncGenerator<string, void, undefined>;
  private number = 0;

  /** @param chunk - bytes that are read at once */
  constructor(
    private readonly path: string,
    chunk?: number,
  ) {
    this.lines = readLines(path, chunk === undefined ? {} : { chunk });
  }

  private async next(): Promise<unknown> {
    const { value: line, done } = await this.lines.next();
    this.number++;
    if (done) throw this.broken("it ends too early");
    return JSON.parse(line);
  }

  private broken(what: string): DataError {
    return new DataError(
      `${this.path}:${this.number}: not a shard of prepare-docs as its record says (${what}); run its shard again.`,
    );
  }

  /** The pages of the file at a place, which must be the next one in this part. */
  async *pagesOf(place: number): AsyncGenerator<CutPage> {
    if (this.number === 0 && !headSchema.safeParse(await this.next()).success) throw this.broken("no head");
    for (let pages = 0; ; pages++) {
      const { data: row } = rowSchema.safeParse(await this.next());
      if (row === undefined) throw this.broken("neither a page nor the end of a file");
      if ("end" in row) {
        if (row.end !== place || row.pages !== pages)
          throw this.broken(`the end of file ${row.end} with ${row.pages} pages`);
        return;
      }
      if (row.file !== place) throw this.broken(`a page of file ${row.file}`);
      const { hash, page, cuttings, source, leftOut } = row;
      const file = { path: source, source };
      yield { file, page, hash, cuttings, leftOut: LeftOut.of({ kinds: leftOut, parts: [] }) };
    }
  }

  async close(): Promise<void> {
    await this.lines.return();
  }
}

/** One hash of which files there are, by name and size, so that parts of different corpora are not taken for parts of one. */
export function filesHash(files: readonly { source: string; size: number }[]): string {
  return hashText(JSON.stringify(files.map(({ source, size }) => [source, size])));
}
