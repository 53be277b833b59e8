import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { hashText, parseTemporaryName, requireWritable, UserError } from "@rag-ft/core";
import type { PassageEncoder } from "../passage-encoder.js";
import { listMeta } from "./list-vectors.js";
import { isNotThere, LIST_FILE, META_FILE, PART, partsMeta } from "./vector-parts.js";

/** The folder of one encoder's vectors in an index, which keeps those of several. */
export function encoderFolder(root: string, { fingerprint }: Pick<PassageEncoder, "fingerprint">): string {
  if (/^[0-9a-f]{40,}$/.test(fingerprint)) return join(root, fingerprint.slice(0, 40));
  return join(root, `${fingerprint.replace(/[^\w]+/g, "-").slice(0, 23)}-${hashText(fingerprint).slice(0, 16)}`);
}

function foreign(path: string, found: string): UserError {
  return new UserError(
    `${path}: expected a new folder or an index of rag-ft (a folder for each encoder's vectors), found ${found}. ` +
      "Nothing was overwritten. Give index_path another folder.",
  );
}

/** The names in a folder; undefined when there is none. */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) throw foreign(path, "a file");
    return (await readdir(path)).filter((name) => !parseTemporaryName(name));
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

/** Whether a folder holds vectors itself, of whichever layout. @throws UserError when it holds half of that, or another program's. */
async function holdsVectors(path: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes(META_FILE)) {
    const vectors = names.find((name) => name === LIST_FILE || PART.test(name));
    if (vectors !== undefined) throw foreign(path, `${vectors} without ${META_FILE}`);
    return false;
  }
  try {
    const meta: unknown = JSON.parse(await readFile(join(path, META_FILE), "utf8"));
    if (partsMeta.safeParse(meta).success || listMeta.safeParse(meta).success) return true;
  } catch {
    // Said below.
  }
  throw foreign(path, `a ${META_FILE} of another program`);
}

const isVectors = (name: string): boolean => name === META_FILE || name === LIST_FILE || PART.test(name);

/**
 * Looks at an index before any work: that it is one, or is not there yet, and can be written. Vectors that lie in it directly are of an
 * earlier version, or it is one encoder's folder; they are read where they fit.
 *
 * @throws UserError when the path holds something else, which is never overwritten, or cannot be written.
 */
export async function checkIndexPath(root: string | undefined): Promise<void> {
  if (root === undefined || root === "") return;
  const names = (await namesIn(root)) ?? [];
  await holdsVectors(root, names);
  for (const name of names.filter((one) => !isVectors(one))) {
    const path = join(root, name);
    const inner = (await stat(path)).isDirectory() ? await namesIn(path) : undefined;
    if (!inner) throw foreign(root, `${name} in it`);
    if (inner.length === 0) continue;
    const other = inner.find((one) => !isVectors(one));
    if (other !== undefined || !(await holdsVectors(path, inner)))
      throw foreign(root, `${basename(path)}/${other ?? inner[0]} in it`);
  }
  await requireWritable(root, "index_path");
}

/** Folder of a stage's output that keeps the vectors it has paid for, where no index is named. */
export const VECTORS_FOLDER = "vectors";
