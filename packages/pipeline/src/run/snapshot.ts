import { stat } from "node:fs/promises";
import { filesUnder } from "../input-files.js";

/** Path → size and time of change. */
export type Snapshot = ReadonlyMap<string, string>;

/** The files of some folders as they are now; a folder that is not there has none. */
export async function snapshot(folders: readonly string[]): Promise<Snapshot> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    const info = await stat(folder).catch(() => undefined);
    if (!info?.isDirectory()) continue;
    for (const path of await filesUnder(folder)) {
      const { size, mtimeMs } = await stat(path);
      files.set(path, `${size} ${mtimeMs}`);
    }
  }
  return files;
}

/** Files that are new or different. */
export function changedFiles(before: Snapshot, after: Snapshot): string[] {
  return [...after].filter(([path, state]) => before.get(path) !== state).map(([path]) => path);
}
