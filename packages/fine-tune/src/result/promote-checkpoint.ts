import { readdir, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { linkFileAtomic } from "@rag-ft/core";
import { ADAPTER_FOLDER } from "@rag-ft/models";
import { TRAINER_STATE } from "@rag-ft/train";

/**
 * Gives a checkpoint's model files a second name in the output folder itself, so that `output_dir` is a model folder too. Each file appears
 * whole; on file systems that have links, both share one copy of the weights. An adapter of an earlier run there is removed: it is of another model.
 */
export async function promoteCheckpoint(checkpoint: string, output: string): Promise<void> {
  await rm(join(output, ADAPTER_FOLDER), { recursive: true, force: true });
  const entries = await readdir(checkpoint, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = relative(checkpoint, join(entry.parentPath, entry.name));
    if (!entry.isFile() || path.split(sep)[0] === TRAINER_STATE) continue;
    await linkFileAtomic(join(checkpoint, path), join(output, path));
  }
}
