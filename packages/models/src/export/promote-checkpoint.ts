import { constants } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ADAPTER_FOLDER } from "../lora/write-adapter.js";

/**
 * Copies a checkpoint's files into the output folder itself, so that `output_dir` is a model folder too. Each file appears
 * whole; on file systems that can, the copy takes no space. An adapter of an earlier run there is removed: it is of another model.
 */
export async function promoteCheckpoint(checkpoint: string, output: string): Promise<void> {
  await rm(join(output, ADAPTER_FOLDER), { recursive: true, force: true });
  const entries = await readdir(checkpoint, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(output, from.slice(checkpoint.length));
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, `${to}.tmp`, constants.COPYFILE_FICLONE);
    await rename(`${to}.tmp`, to);
  }
}
