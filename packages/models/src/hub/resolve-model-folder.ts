import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Reporter, throwIfCancelled, UserError } from "@rag-ft/core";
import { downloadBlob } from "./download-blob.js";
import { COMMIT, type Environment, hubCacheFolder, isComplete, ModelCache } from "./hub-cache.js";
import { createHubClient, type HubClient, HubUnreachableError } from "./hub-client.js";
import { chooseFiles, type HubFile, type WantedFiles } from "./hub-files.js";
import { type HubId, parseHubId } from "./hub-id.js";

export interface ResolveModelOptions {
  env: Environment;
  reporter: Reporter;
  files: WantedFiles;
  signal?: AbortSignal;
  /** Milliseconds before the second attempt at a broken download (default 500). */
  retryDelay?: number;
}

const MEGABYTE = 1e6;

async function isThere(path: string, size: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === size;
}

async function downloadAll(
  id: HubId,
  commit: string,
  files: readonly HubFile[],
  cache: ModelCache,
  client: HubClient,
  options: ResolveModelOptions,
): Promise<void> {
  const missing: HubFile[] = [];
  for (const file of files) {
    if (await isThere(join(cache.snapshot(commit), file.path), file.size)) continue;
    if (await isThere(cache.blob(file.etag), file.size)) await cache.link(file.etag, commit, file.path);
    else missing.push(file);
  }
  if (missing.length === 0) return;
  const megabytes = (bytes: number): number => Math.ceil(bytes / MEGABYTE);
  const total = missing.reduce((sum, file) => sum + file.size, 0);
  const progress = options.reporter.start(`downloading ${id.name} (MB)`, megabytes(total));
  try {
    let done = 0;
    for (const file of missing) {
      await downloadBlob({
        url: `${client.url}/${id.name}/resolve/${commit}/${file.path}`,
        file,
        target: cache.blob(file.etag),
        fetch: client.fetch,
        refused: (status) => client.explain(id, status, file.path),
        onBytes: (bytes) => progress.update(megabytes(done + bytes), file.path),
        signal: options.signal,
        retryDelay: options.retryDelay,
      });
      await cache.link(file.etag, commit, file.path);
      done += file.size;
      progress.update(megabytes(done), file.path);
    }
  } finally {
    progress.stop();
  }
}

async function cachedSnapshot(cache: ModelCache, id: HubId, files: WantedFiles): Promise<string | undefined> {
  const commit = await cache.commitOf(id.revision);
  if (commit === undefined) return undefined;
  return (await isComplete(cache.snapshot(commit), files)) ? cache.snapshot(commit) : undefined;
}

async function downloadModel(
  id: HubId,
  cache: ModelCache,
  client: HubClient,
  options: ResolveModelOptions,
): Promise<string> {
  const commit = await client.commitOf(id);
  const files = chooseFiles(id.name, await client.list(id, commit), options.files);
  await downloadAll(id, commit, files, cache, client, options);
  await cache.remember(id.revision, commit);
  return cache.snapshot(commit);
}

/**
 * The folder of a model given by folder or hub name.
 *
 * 1. A folder that exists is returned as it is (absolute).
 * 2. Else `org/name`, `name` or `org/name@revision` is looked up on the hub (HF_ENDPOINT, HF_TOKEN), and the files that are
 *    needed are downloaded into the cache that Python uses too (HF_HUB_CACHE, HF_HOME); a broken download goes on where it
 *    stopped, in the same run or a later one.
 * 3. Without a connection, or with HF_HUB_OFFLINE=1, a complete copy in the cache serves. A commit is never asked for twice.
 *
 * @throws UserError when there is neither folder nor model, or no access; DataError when the hub's answers do not fit.
 */
export async function resolveModelFolder(nameOrPath: string, options: ResolveModelOptions): Promise<string> {
  const info = await stat(nameOrPath).catch(() => undefined);
  if (info?.isDirectory()) return resolve(nameOrPath);
  if (info !== undefined) throw new UserError(`${nameOrPath}: expected a model folder or hub name, found a file.`);
  const id = parseHubId(nameOrPath);
  if (options.signal) throwIfCancelled(options.signal);
  const root = hubCacheFolder(options.env);
  const cache = new ModelCache(root, id);
  const cached = await cachedSnapshot(cache, id, options.files);
  if (cached !== undefined && COMMIT.test(id.revision)) return cached;
  const hint = `There is no complete copy of ${nameOrPath} in the cache (${root}), and no folder of that name. Give a model folder instead.`;
  if (/^(1|true|yes|on)$/i.test(options.env.HF_HUB_OFFLINE ?? "")) {
    if (cached !== undefined) return cached;
    throw new UserError(`HF_HUB_OFFLINE is set, so the hub is not asked. ${hint}`);
  }
  try {
    return await downloadModel(id, cache, createHubClient(options.env, options.signal), options);
  } catch (error) {
    if (!(error instanceof HubUnreachableError)) throw error;
    if (cached === undefined) throw new UserError(`${error.message} ${hint}`, { cause: error });
    options.reporter.warn(`${error.message} The copy in the cache is used.`);
    return cached;
  }
}
