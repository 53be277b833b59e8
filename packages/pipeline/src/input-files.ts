import { readdir, realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, sep } from "node:path";
import { hashFile, hashText } from "@rag-ft/core";
import { glob, isDynamicPattern } from "tinyglobby";
import type { SettingValues } from "./any-stage.js";

/** A file that a stage reads, with its SHA-256. */
export interface InputFile {
  /** The setting's value under which it was found. */
  root: string;
  path: string;
  sha256: string;
}

/** Records that runs leave behind; they carry times, so they would make equal folders look different. */
const RECORD = /^(run-state\.json|unrecorded-result\.json|manifest(\.[\w.-]+)?\.json|\..*\.tmp(\.old)?)$/;

/** Every file below a folder, in order of name; not the records that runs leave behind, nor a model's card, which its user may edit. */
export async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  const isModel = entries.some(({ name }) => name === "config.json");
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (RECORD.test(entry.name) || (isModel && entry.name === "README.md")) continue;
    if (entry.isDirectory()) found.push(...(await filesUnder(path)));
    else if (entry.isFile()) found.push(path);
    else if (entry.isSymbolicLink()) {
      // Linked files are read (a hub cache is made of them); linked folders are not entered, as they may lead in a circle.
      const target = await stat(path).catch(() => undefined);
      if (target?.isFile()) found.push(path);
    }
  }
  return found;
}

async function filesOf(root: string): Promise<string[]> {
  const info = await stat(root).catch(() => undefined);
  if (info?.isFile()) return [root];
  if (info?.isDirectory()) return filesUnder(root);
  if (isDynamicPattern(root)) {
    const found = await glob(root, {
      absolute: isAbsolute(root),
      followSymbolicLinks: false,
      expandDirectories: false,
      caseSensitiveMatch: false,
    });
    return found.sort();
  }
  // Not a path: a hub id, or a file whose absence the stage itself explains.
  return [];
}

function pathsIn(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string" && item !== "") : [];
}

/** Every file behind the settings that name inputs, hashed. Folders are walked; `node_modules` may be one. */
export async function hashInputs(inputs: readonly string[], values: SettingValues): Promise<InputFile[]> {
  return hashRoots(inputs.flatMap((name) => pathsIn(values[name])));
}

/** The files of some paths, hashed; each file once. */
export async function hashRoots(roots: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  const hashes = new Map<string, string>();
  for (const root of new Set(roots)) {
    for (const path of await filesOf(root)) {
      const real = await realpath(path);
      const sha256 = hashes.get(real) ?? (await hashFile(real));
      hashes.set(real, sha256);
      files.push({ root, path, sha256 });
    }
  }
  return files;
}

/** One hash for a folder: of its files' names and hashes. */
export function hashTree(root: string, files: readonly InputFile[]): string {
  return hashText(files.map((file) => `${relative(root, file.path).split(sep).join("/")}\0${file.sha256}\n`).join(""));
}

/** Inputs for a run record: path → hash, a folder as one entry. */
export function summariseInputs(files: readonly InputFile[]): Record<string, string> {
  const summary: Record<string, string> = {};
  for (const root of new Set(files.map((file) => file.root))) {
    const own = files.filter((file) => file.root === root);
    const [first] = own;
    const isFile = own.length === 1 && first?.path === root;
    summary[isFile ? root : `${root} (${own.length} files)`] = isFile ? first.sha256 : hashTree(root, own);
  }
  return summary;
}

/** Whether a path is a run record. */
export function isRecord(path: string): boolean {
  return RECORD.test(basename(path));
}
