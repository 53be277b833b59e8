import { copyFile, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathKind, writeFileAtomic } from "@rag-ft/core";
import type { WantedFiles } from "./hub-files.js";
import type { HubId } from "./hub-id.js";

// The layout of Python's huggingface_hub, so that both share what was downloaded:
//   models--org--name/refs/<revision>                the commit a branch or tag stood for
//   models--org--name/blobs/<etag>                   the contents (<etag>.incomplete while downloading)
//   models--org--name/snapshots/<commit>/<path>      links to blobs

export type Environment = Readonly<Record<string, string | undefined>>;

export const COMMIT = /^[0-9a-f]{40}$/;

/** Folder of the cache: HF_HUB_CACHE, else `hub` in HF_HOME, else the user's cache folder. */
export function hubCacheFolder(env: Environment): string {
  const home = env.HOME ?? homedir();
  const expand = (path: string): string => resolve(path.replace(/^~(?=\/|$)/, home));
  const given = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (given) return expand(given);
  return join(expand(env.HF_HOME || join(env.XDG_CACHE_HOME || join(home, ".cache"), "huggingface")), "hub");
}

/** Whether a snapshot holds all that is wanted, judged by its own files. */
export async function isComplete(snapshot: string, wanted: WantedFiles): Promise<boolean> {
  const has = async (name: string): Promise<boolean> => (await pathKind(join(snapshot, name))) === "file";
  if (!(await has("tokenizer.json"))) return false;
  if (wanted === "tokenizer") return true;
  if (!(await has("config.json"))) return false;
  if (await has("model.safetensors")) return true;
  try {
    const index = JSON.parse(await readFile(join(snapshot, "model.safetensors.index.json"), "utf8"));
    const shards = [...new Set(Object.values(index.weight_map as Record<string, string>))];
    return shards.length > 0 && (await Promise.all(shards.map(has))).every(Boolean);
  } catch {
    return false; // No index, or one cut short: not complete, so it is downloaded.
  }
}

/** The commit of a model's folder in the cache; undefined of any other folder. */
export function commitOfSnapshot(folder: string): string | undefined {
  const name = basename(folder);
  return COMMIT.test(name) && basename(dirname(folder)) === "snapshots" ? name : undefined;
}

/** One model's part of the cache. */
export class ModelCache {
  readonly #folder: string;

  constructor(root: string, id: HubId) {
    this.#folder = join(root, ["models", ...id.name.split("/")].join("--"));
  }

  blob(etag: string): string {
    return join(this.#folder, "blobs", etag);
  }

  snapshot(commit: string): string {
    return join(this.#folder, "snapshots", commit);
  }

  /** The commit that a revision stood for when it was last asked; undefined when it never was. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (COMMIT.test(revision)) return revision;
    const text = await readFile(join(this.#folder, "refs", revision), "utf8").catch(() => "");
    return COMMIT.test(text.trim()) ? text.trim() : undefined;
  }

  async remember(revision: string, commit: string): Promise<void> {
    if (revision !== commit) await writeFileAtomic(join(this.#folder, "refs", revision), commit);
  }

  /** Makes a blob appear in a snapshot: a relative link, or a copy where links are not allowed (Windows). */
  async link(etag: string, commit: string, path: string): Promise<void> {
    const pointer = join(this.snapshot(commit), path);
    const temporary = `${pointer}.${process.pid}.tmp`;
    await mkdir(dirname(pointer), { recursive: true });
    await rm(temporary, { force: true });
    try {
      await symlink(relative(dirname(pointer), this.blob(etag)), temporary);
    } catch {
      await copyFile(this.blob(etag), temporary);
    }
    await rename(temporary, pointer);
  }
}
