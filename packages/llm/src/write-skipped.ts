import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeJsonl } from "@rag-ft/core";
import type { FailureLog } from "./failure-log.js";

/**
 * Writes `<name>` with what was asked about in vain and why, one line each; without any, an earlier run's file goes.
 * Returns what to tell the user.
 */
export async function writeSkipped(folder: string, name: string, failures: FailureLog): Promise<string[]> {
  const path = join(folder, name);
  const skipped = failures.skipped();
  if (skipped.length === 0) {
    await rm(path, { force: true });
    return [];
  }
  await writeJsonl(path, skipped);
  return [`Each with its reason: ${path}`];
}
