import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join, resolve, sep } from "node:path";
import { UserError } from "@rag-ft/core";
import picomatch from "picomatch";
import { glob, isDynamicPattern } from "tinyglobby";
import type { SourceFile } from "../readers/reader.js";
import { READERS, readerOf } from "../readers/registry.js";
import { type FetchSiteOptions, findSite } from "../site/find-site.js";
import { isAddress } from "../site/is-address.js";
import { sourceName } from "./source-name.js";

export interface FindFilesOptions {
  /** Globs; when there are any, a file of a folder or glob must match one. */
  include: readonly string[];
  /** Globs; a file of a folder or glob that matches one is left out. */
  exclude: readonly string[];
  /** How entries that are addresses are fetched; without it they are an error. */
  sites?: FetchSiteOptions;
}

export interface FoundFiles {
  /** In order of path. */
  files: SourceFile[];
  /**
   * What is not read, the most frequent first: files of other kinds by extension (`.png`; empty: without one), what a site's pages are
   * left out for by type (`image/png`) or a few words.
   */
  unread: ReadonlyMap<string, number>;
}

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

/**
 * All files below a folder, without `node_modules` and hidden files and folders. Links are followed, after all else, so that a file is found
 * under its own name first; a folder that was walked is not walked again, so that circles end.
 */
async function walk(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walked = new Set<string>();
  const links: string[] = [];
  const visit = async (path: string): Promise<void> => {
    const real = await realpath(path);
    if (walked.has(real)) return;
    walked.add(real);
    const entries: Dirent[] = await readdir(path, { withFileTypes: true });
    for (const entry of entries) {
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const inner = join(path, entry.name);
      if (entry.isSymbolicLink()) links.push(inner);
      else if (entry.isDirectory()) await visit(inner);
      else if (entry.isFile()) found.push(inner);
    }
  };
  await visit(folder);
  for (let link = links.shift(); link !== undefined; link = links.shift()) {
    const info = await stat(link).catch(() => undefined);
    if (info?.isFile()) found.push(link);
    else if (info?.isDirectory()) await visit(link);
  }
  return found;
}

interface Expanded {
  found: string[];
  folder: string | undefined;
  /** The entry is the file itself. */
  listed: boolean;
}

async function expand(entry: string): Promise<Expanded> {
  const info: Stats | undefined = await stat(entry).catch(() => undefined);
  if (info?.isFile()) return { found: [resolve(entry)], folder: undefined, listed: true };
  if (info?.isDirectory()) return { found: await walk(resolve(entry)), folder: resolve(entry), listed: false };
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

/** `3 .png, 1 .rst`; a file without an extension is "without extension". */
export function describeUnread(unread: ReadonlyMap<string, number>): string {
  return [...unread].map(([extension, number]) => `${number} ${extension || "without extension"}`).join(", ");
}

async function siteOf(
  entry: string,
  options: FetchSiteOptions | undefined,
  wanted: (path: string) => boolean,
): ReturnType<typeof findSite> {
  if (options === undefined) throw new UserError(`${entry}: addresses are not read here. Give a file or a folder.`);
  return findSite(entry, options, wanted);
}

/**
 * The files behind `document_path`: files, folders (all readable files below, without `node_modules` and hidden folders) and
 * globs, in order of path, and the pages of sites. A file reached twice, by a link too, is read once.
 *
 * @throws UserError when an entry is not there, matches nothing, or has no file of a kind that is read
 */
export async function findFiles(entries: readonly string[], options: FindFilesOptions): Promise<FoundFiles> {
  const included = matcher(options.include);
  const excluded = matcher(options.exclude);
  const files: SourceFile[] = [];
  const reached = new Set<string>();
  const unread = new Map<string, number>();
  const order = new Intl.Collator("en", { numeric: true });
  const passOver = (kinds: ReadonlyMap<string, number>): void => {
    for (const [kind, number] of kinds) unread.set(kind, (unread.get(kind) ?? 0) + number);
  };
  for (const entry of entries) {
    if (isAddress(entry)) {
      const site = await siteOf(entry, options.sites, (path) => {
        const page = { path, source: path };
        return (options.include.length === 0 || included(page)) && !excluded(page);
      });
      for (const file of site.files) if (!reached.has(file.source)) files.push(file);
      for (const { source } of site.files) reached.add(source);
      passOver(site.unread);
      continue;
    }
    const { found, folder, listed } = await expand(entry);
    const kinds = new Map<string, number>();
    const added: [string, SourceFile][] = [];
    let readable = 0;
    const real = new Map<string, string>();
    for (const path of found) real.set(path, await realpath(path));
    // Files before links to them, so that they keep their names.
    const isLink = (path: string): number => (real.get(path) === path ? 0 : 1);
    for (const path of found.sort((a, b) => isLink(a) - isLink(b))) {
      const file: SourceFile = { path, source: sourceName(path, folder), ...(folder ? { folder } : {}) };
      const wanted = listed || ((options.include.length === 0 || included(file)) && !excluded(file));
      if (readerOf(path) === undefined) {
        const extension = extname(path).toLowerCase();
        if (wanted) kinds.set(extension, (kinds.get(extension) ?? 0) + 1);
        continue;
      }
      readable++;
      const target = real.get(path) ?? path;
      if (!wanted || reached.has(target)) continue;
      reached.add(target);
      added.push([path, file]);
    }
    if (readable === 0) {
      const others = describeUnread(kinds);
      throw new UserError(
        `${entry}: ${found.length > 0 ? `no file of a kind that is read${others ? ` (found ${others})` : ""}` : "no file found"} (document_path). ` +
          `Expected ${READERS.flatMap(({ extensions }) => extensions).join(", ")}.`,
      );
    }
    for (const [, file] of added.sort(([a], [b]) => order.compare(a, b))) files.push(file);
    passOver(kinds);
  }
  return { files, unread: new Map([...unread].sort(([, a], [, b]) => b - a)) };
}
