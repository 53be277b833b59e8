import { realpath, stat } from "node:fs/promises";
import { extname, resolve, sep } from "node:path";
import { UserError } from "@rag-ft/core";
import picomatch from "picomatch";
import { glob, isDynamicPattern } from "tinyglobby";
import { sourceName } from "./source-name.js";

/** A file to read and the name that its passages will give as source. */
export interface SourceFile {
  path: string;
  source: string;
}

export interface FindFilesOptions {
  /** Globs; when there are any, a file of a folder or glob must match one. */
  include: readonly string[];
  /** Globs; a file of a folder or glob that matches one is left out. */
  exclude: readonly string[];
}

/** Extensions that are read, and how. */
export const READABLE: Readonly<Record<string, "jsonl" | "markdown" | "html" | "plain">> = {
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".md": "markdown",
  ".markdown": "markdown",
  ".mdx": "markdown",
  ".html": "html",
  ".htm": "html",
  ".txt": "plain",
};

const GLOB_OPTIONS = { absolute: true, onlyFiles: true, followSymbolicLinks: false, expandDirectories: false } as const;

/** A matcher of any of the globs. One without a slash is for the file's name; the others for the source or the whole path. */
function matcher(patterns: readonly string[]): (file: SourceFile) => boolean {
  const tests = patterns.map((pattern) => {
    const trimmed = pattern.replace(/^\.\//, "");
    const rooted = trimmed.startsWith("/") || trimmed.startsWith("**/") ? trimmed : `**/${trimmed}`;
    return picomatch(trimmed.includes("/") ? [trimmed, rooted] : `**/${trimmed}`, { dot: true, nocase: true });
  });
  return (file) => tests.some((test) => test(file.source) || test(file.path.split(sep).join("/")));
}

async function expand(entry: string): Promise<{ found: string[]; folder: string | undefined; listed: boolean }> {
  const info = await stat(entry).catch(() => undefined);
  if (info?.isFile()) return { found: [resolve(entry)], folder: undefined, listed: true };
  if (info?.isDirectory()) {
    const extensions = Object.keys(READABLE).map((extension) => extension.slice(1));
    const found = await glob(`**/*.{${extensions.join(",")}}`, {
      ...GLOB_OPTIONS,
      cwd: resolve(entry),
      caseSensitiveMatch: false,
      ignore: ["**/node_modules/**"],
    });
    return { found, folder: resolve(entry), listed: false };
  }
  if (!isDynamicPattern(entry)) {
    throw new UserError(`${entry}: no such file or folder (document_path). Check the path.`);
  }
  // Sources of a glob's files are relative to what comes before its first wildcard.
  const fixed = entry.split("/");
  const wild = fixed.findIndex((part) => isDynamicPattern(part));
  const folder = resolve(fixed.slice(0, wild).join("/") || (entry.startsWith("/") ? "/" : "."));
  const pattern = fixed.slice(wild).join("/");
  const found = await glob(pattern, { ...GLOB_OPTIONS, cwd: folder, caseSensitiveMatch: false });
  return { found, folder, listed: false };
}

/**
 * The files behind `document_path`: files, folders (all readable files below, without `node_modules` and hidden folders) and
 * globs, in order of path. A file reached twice, by a link too, is read once. Links to folders are not followed.
 *
 * @throws UserError when an entry is not there, matches nothing, or is a file of a kind that is not read
 */
export async function findFiles(entries: readonly string[], options: FindFilesOptions): Promise<SourceFile[]> {
  const included = matcher(options.include);
  const excluded = matcher(options.exclude);
  const files = new Map<string, SourceFile>();
  for (const entry of entries) {
    const { found, folder, listed } = await expand(entry);
    const readable = found.filter((path) => extname(path).toLowerCase() in READABLE);
    if (readable.length === 0) {
      throw new UserError(
        `${entry}: ${found.length > 0 ? "no file of a kind that is read" : "no file found"} (document_path). ` +
          `Expected ${Object.keys(READABLE).join(", ")}.`,
      );
    }
    const order = new Intl.Collator("en", { numeric: true });
    for (const path of readable.sort((a, b) => order.compare(a, b))) {
      const file: SourceFile = { path, source: sourceName(path, folder) };
      if (!listed && ((options.include.length > 0 && !included(file)) || excluded(file))) continue;
      const real = await realpath(path);
      if (!files.has(real)) files.set(real, file);
    }
  }
  return [...files.values()];
}
