import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { hashBytes } from "@rag-ft/core";
import { readBytes } from "../bytes/read-bytes.js";
import { cleanText } from "../bytes/read-text.js";
import type { LeaveOut, ReadContext, SourceFile } from "../readers/reader.js";
import { isAddress } from "../site/is-address.js";

/** Files that stand at the top of a project; a page may take in files from there down. */
const TOPS = [".git", "book.toml", "conf.py", "mkdocs.yml", "mkdocs.yaml", "antora.yml", "hugo.toml", "package.json"];
const MOST_INCLUDED_BYTES = 4 * 2 ** 20;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The folder that a page's includes must be in: the nearest project's above it, else the folder that was given, else its own. */
async function topOf(file: SourceFile): Promise<string> {
  const own = dirname(resolve(file.path));
  const given = file.folder ?? own;
  for (let folder = own; dirname(folder) !== folder; folder = dirname(folder)) {
    for (const name of TOPS) if (await exists(join(folder, name))) return folder.length < given.length ? folder : given;
  }
  return given;
}

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};

/** A file that a page asked for: `path` as the page names it, relative to the page or to `base`. */
export interface Included {
  path: string;
  base?: string;
  /** SHA-256 of its bytes; undefined when it is not there. */
  hash?: string;
}

export interface PageEvents {
  leaveOut: LeaveOut;
  /** A whole sentence, with the path and the line. */
  warn(message: string): void;
  /** Told of each file that the page asks for. */
  included?(file: Included): void;
  turn(): Promise<void>;
}

/** Finds files that `file` takes in: the real path; undefined when it is not there or lies outside of the page's project. */
export function includeFinder(file: SourceFile): (path: string, base?: string) => Promise<string | undefined> {
  let top: Promise<string> | undefined;
  return async (path, base) => {
    // What others publish takes in no file of this machine.
    if (isAddress(file.source)) return undefined;
    top ??= topOf(file).then((folder) => realpath(folder));
    const folder = await top;
    const wanted = path.startsWith("/") ? join(folder, path) : resolve(dirname(base ?? file.path), path);
    // Python-Markdown's snippets are relative to the project.
    for (const candidate of [wanted, join(folder, path)]) {
      const real = await realpath(candidate).catch(() => undefined);
      if (real !== undefined && isWithin(folder, real) && (await stat(real)).isFile()) return real;
    }
    return undefined;
  };
}

/** What a reader of `file` is given. */
export function pageContext(file: SourceFile, events: PageEvents): ReadContext {
  const find = includeFinder(file);
  const warn = (message: string, line?: number): void =>
    events.warn(`${file.path}${line === undefined ? "" : `:${line}`}: ${message}`);
  return {
    leaveOut: events.leaveOut,
    warn,
    turn: events.turn,
    async include(path, base) {
      const asked = { path, ...(base === undefined ? {} : { base }) };
      const real = await find(path, base);
      if (real === undefined) {
        events.included?.(asked);
        return undefined;
      }
      const bytes = await readBytes(real, MOST_INCLUDED_BYTES);
      events.included?.({ ...asked, hash: hashBytes(bytes) });
      return { path: real, text: cleanText(bytes, real, { warn, leaveOut: events.leaveOut }) };
    },
  };
}
