import { readdir, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseTemporaryName, removeFolderAtomic } from "@rag-ft/core";

type Environment = Readonly<Record<string, string | undefined>>;

/** Our own cache (`RAG_FT_CACHE`, or `~/.cache/rag-ft`): ONNX graphs made of decoders. Downloaded models are in the hub's. */
export function graphCacheFolder(env: Environment): string {
  return join(env.RAG_FT_CACHE || join(homedir(), ".cache", "rag-ft"), "onnx");
}

export interface CachedGraph {
  folder: string;
  bytes: number;
  /** Milliseconds since 1970. */
  lastUsed: number;
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}

/** The graphs in the cache, the one that was used last first. Those that are being written are none of them. */
export async function cachedGraphs(env: Environment): Promise<CachedGraph[]> {
  const root = graphCacheFolder(env);
  const graphs: CachedGraph[] = [];
  for (const entry of await readdir(root, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || parseTemporaryName(entry.name)) continue;
    const folder = join(root, entry.name);
    graphs.push({ folder, bytes: await bytesIn(folder), lastUsed: (await stat(folder)).mtimeMs });
  }
  return graphs.sort((a, b) => b.lastUsed - a.lastUsed);
}

/** Notes that a graph was used now. A cache that cannot be written is used all the same. */
export async function touchGraph(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

/** Removes the graphs that were not used for longest until `limit` bytes are left; returns those removed. `keep` stays. */
export async function shrinkGraphCache(env: Environment, limit: number, keep?: string): Promise<CachedGraph[]> {
  const removed: CachedGraph[] = [];
  const graphs = await cachedGraphs(env);
  let left = graphs.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const graph of graphs.toReversed()) {
    if (left <= limit) break;
    if (graph.folder === keep) continue;
    await removeFolderAtomic(graph.folder);
    left -= graph.bytes;
    removed.push(graph);
  }
  return removed;
}
