// What the last run made of each file, so that the next one reads and cuts only what has changed. One file of lines: the first says what
// made the others (settings, tokenizer, program), each other one is `<first 16 digits of its hash> <JSON of a KeptFile>`. It is written
// whole after a run and holds the files of that run alone, so that it does not grow.
import { stat } from "node:fs/promises";
import { hashFile, hashText, readLines, writeChunksAtomic } from "@rag-ft/core";
import { includeFinder } from "../files/page-context.js";
import type { SourceFile } from "../readers/reader.js";
import { type KeptFile, keptFile } from "./kept-file.js";

const FORMAT = "rag-ft-pages 1";
const SUM = 16;
/** A file whose passages have more characters is read each time: what is kept of it would be a line longer than a string may be. */
const MOST_CHARACTERS = 2 ** 26;

/** A file as it was when it was looked at. */
interface Seen {
  hash: string;
  size: number;
  modified: number;
}

export interface KeptFilesOptions {
  /** Names all besides the files that passages depend on: settings, tokenizer, program. */
  madeBy: string;
  /** A whole sentence. */
  warn(message: string): void;
  /** Nothing is written. */
  readOnly?: boolean;
}

const lookAt = async (path: string): Promise<Omit<Seen, "hash"> | undefined> => {
  const info = await stat(path).catch(() => undefined);
  return info && { size: info.size, modified: info.mtimeMs };
};

/** Whether the files that a file took in are as they were. */
export async function areUnchanged(file: SourceFile, included: KeptFile["included"]): Promise<boolean> {
  const find = included.length > 0 ? includeFinder(file) : undefined;
  for (const one of included) {
    const real = await find?.(one.path, one.base);
    // What cannot be read has changed.
    const now = real === undefined ? undefined : await hashFile(real).catch(() => "");
    if (now !== one.hash) return false;
  }
  return true;
}

export class KeptFiles {
  private readonly seen = new Map<string, Seen>();
  /** Files of this run, in its order. */
  private readonly now = new Map<string, KeptFile>();
  private changed = false;

  private constructor(
    private readonly path: string,
    private readonly earlier: Map<string, KeptFile>,
    private readonly options: KeptFilesOptions,
  ) {}

  /** Reads what an earlier run has left at `path`. What is damaged is warned of and made again. */
  static async open(path: string, options: KeptFilesOptions): Promise<KeptFiles> {
    const earlier = new Map<string, KeptFile>();
    let number = 0;
    let damaged = 0;
    try {
      for await (const line of readLines(path)) {
        number++;
        if (number === 1) {
          const [format, madeBy] = line.split("\t");
          if (format !== FORMAT) throw new Error(`its first line is not "${FORMAT}"`);
          if (madeBy !== options.madeBy) break;
          continue;
        }
        const file = parseLine(line);
        if (file) earlier.set(file.path, file);
        else damaged++;
      }
      if (damaged > 0)
        options.warn(`${path}: ${damaged} lines are damaged; the files that they are of are read again.`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        options.warn(`${path}: cannot be used (${(error as Error).message}); files that it is of are read again.`);
      }
    }
    const files = new KeptFiles(path, earlier, options);
    files.changed = damaged > 0;
    return files;
  }

  /** What was made of a file, when neither it nor any file that it takes in has changed since. */
  async find(file: SourceFile): Promise<KeptFile | undefined> {
    const before = await lookAt(file.path);
    if (before === undefined) return undefined;
    const hash = await hashFile(file.path).catch(() => undefined);
    if (hash === undefined) return undefined;
    this.seen.set(file.path, { ...before, hash });
    const kept = this.earlier.get(file.path);
    if (kept?.hash !== hash) return undefined;
    if (!(await areUnchanged(file, kept.included))) return undefined;
    this.now.set(file.path, kept);
    return kept;
  }

  /** Keeps what was made of a file that `find` did not have. A file that changed meanwhile is not kept. */
  async put(path: string, made: Pick<KeptFile, "included" | "warnings" | "pages">): Promise<void> {
    const seen = this.seen.get(path);
    const after = await lookAt(path);
    if (seen === undefined || after?.size !== seen.size || after.modified !== seen.modified) return;
    if (charactersOf(made) > MOST_CHARACTERS) return;
    this.changed = true;
    this.now.set(path, { path, hash: seen.hash, ...made });
  }

  /**
   * Writes what is kept, for the next run. It only warns when it cannot: the run's own results do not need it.
   *
   * @param whole - the run has been through all of its files: what is kept of others goes
   */
  async save(whole: boolean): Promise<void> {
    const { now, earlier, path, options } = this;
    const gone = [...earlier.keys()].some((one) => !now.has(one));
    if (options.readOnly || (!this.changed && !(whole && gone))) return;
    const kept = whole ? now : new Map([...earlier, ...now]);
    try {
      await writeChunksAtomic(path, linesOf(options.madeBy, kept.values()));
    } catch (error) {
      options.warn(`${path}: cannot be written (${(error as Error).message}); the next run reads all files again.`);
    }
  }
}

function charactersOf({ pages }: Pick<KeptFile, "pages">): number {
  return pages.reduce((sum, { cuttings }) => cuttings.reduce((own, { content }) => own + content.length, sum), 0);
}

function* linesOf(madeBy: string, files: Iterable<KeptFile>): Generator<string> {
  yield `${FORMAT}\t${madeBy}\n`;
  for (const file of files) {
    const json = JSON.stringify(file);
    yield `${hashText(json).slice(0, SUM)} ${json}\n`;
  }
}

function parseLine(line: string): KeptFile | undefined {
  const json = line.slice(SUM + 1);
  if (hashText(json).slice(0, SUM) !== line.slice(0, SUM)) return undefined;
  return keptFile.safeParse(JSON.parse(json)).data;
}
