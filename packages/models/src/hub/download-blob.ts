// Own code: @huggingface/hub 2.17's downloadFileToCacheDir starts a broken download again from its first byte and checks no hash, and its
// snapshotDownload takes every file of a model, needs the network for what is cached, and cannot be stopped between bytes.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, DataError, UserError } from "@rag-ft/core";
import { HubUnreachableError, networkCause } from "./hub-client.js";
import type { HubFile } from "./hub-files.js";

/** Attempts in a row that bring no new byte before giving up. */
const MAX_FRUITLESS = 4;

export interface DownloadOptions {
  url: string;
  file: HubFile;
  /** Where the finished file goes; the part so far is in `<target>.incomplete`, which a later run takes up. */
  target: string;
  fetch: typeof fetch;
  /** Turns a refusal (status 4xx) into an error. */
  refused: (status: number) => Error;
  /** Bytes that are there, including those of an earlier run. */
  onBytes: (bytes: number) => void;
  signal?: AbortSignal;
  /** Milliseconds before the second attempt, doubled for each further one (default 500). */
  retryDelay?: number;
}

async function hashOf(path: string, file: HubFile): Promise<string> {
  const hash = createHash(file.hash === "sha256" ? "sha256" : "sha1");
  if (file.hash === "git-sha1") hash.update(`blob ${file.size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** Asks for what is missing and writes it; returns the size then reached. A broken connection is the caller's to judge. */
async function fetchRest(options: DownloadOptions, partial: string): Promise<void> {
  const { url, file, onBytes } = options;
  let at = await sizeOf(partial);
  if (at > file.size) {
    await rm(partial);
    at = 0;
  }
  if (at === file.size && at > 0) return;
  const response = await options.fetch(url, at > 0 ? { headers: { Range: `bytes=${at}-` } } : {});
  if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`);
  if (!response.ok) {
    if (response.status !== 416) throw options.refused(response.status);
    await rm(partial, { force: true }); // What is there is not a beginning of this file.
    throw new Error("status 416");
  }
  const resumes = response.status === 206 && response.headers.get("Content-Range")?.startsWith(`bytes ${at}-`);
  if (!resumes) at = 0; // The server sends the whole file, Range or not.
  const output = await open(partial, resumes ? "r+" : "w");
  try {
    for await (const chunk of response.body ?? []) {
      if (at + chunk.length > file.size) throw new DataError(`${url}: more bytes than the ${file.size} announced.`);
      await output.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onBytes(at);
    }
    // Found again by its size alone: it must not be a hole after a power cut.
    await output.sync();
  } finally {
    await output.close();
  }
  if (at < file.size) throw new Error("the connection was closed early");
}

/**
 * Downloads one file: takes up an earlier part by a range request, tries again when the connection breaks, checks size and
 * hash, then renames it into place.
 *
 * @throws UserError when the connection keeps breaking (the part is kept), DataError when the content is not what the hub
 * lists.
 */
export async function downloadBlob(options: DownloadOptions): Promise<void> {
  const { file, target, signal } = options;
  const partial = `${target}.incomplete`;
  await mkdir(dirname(target), { recursive: true });
  let resumed = (await sizeOf(partial)) > 0;
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(partial);
    try {
      await fetchRest(options, partial);
    } catch (error) {
      if (signal?.aborted) throw new CancelledError("Stopped on request.", { cause: error });
      if (error instanceof DataError || (error instanceof UserError && !(error instanceof HubUnreachableError))) {
        throw error;
      }
      const now = await sizeOf(partial);
      fruitless = now > before ? 0 : fruitless + 1;
      resumed ||= now > 0;
      if (fruitless >= MAX_FRUITLESS) {
        throw new UserError(
          `${options.url}: the download stopped at ${now} of ${file.size} bytes (${networkCause(error)}). What is there is ` +
            "kept: run the command again to go on.",
          { cause: error },
        );
      }
      await sleep((options.retryDelay ?? 500) * 2 ** fruitless, undefined, { signal }).catch(() => {
        throw new CancelledError("Stopped on request.");
      });
      continue;
    }
    const found = await hashOf(partial, file);
    if (found === file.etag) break;
    await rm(partial);
    if (!resumed) {
      throw new DataError(`${options.url}: the content's hash is ${found}, expected ${file.etag}. Download it again.`);
    }
    resumed = false; // The earlier part may be to blame: once more from the start.
  }
  await rename(partial, target);
}
