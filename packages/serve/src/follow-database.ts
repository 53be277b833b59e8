import { stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { RagSearch } from "@rag-ft/answer";
import type { Reporter } from "@rag-ft/core";

/** A look at the file so often, in milliseconds: no system's notices of changed files can be relied on everywhere (network drives, containers). */
const EVERY_MS = 2000;

export interface FollowOptions {
  path: string;
  system: Pick<RagSearch, "documents" | "refresh">;
  reporter: Reporter;
  signal: AbortSignal;
  everyMs?: number;
}

async function stateOf(path: string): Promise<string | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info && `${info.ino} ${info.mtimeMs} ${info.size}`;
}

/** Reads the database anew whenever its file has changed, until the signal; what cannot be read is said, and the old one goes on. */
export async function followDatabase({
  path,
  system,
  reporter,
  signal,
  everyMs = EVERY_MS,
}: FollowOptions): Promise<void> {
  let known = await stateOf(path);
  while (!signal.aborted) {
    await wait(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    const state = signal.aborted ? known : await stateOf(path);
    if (state === undefined || state === known) continue;
    known = state;
    try {
      await system.refresh();
      reporter.info(`${path} has changed: ${system.documents.length} passages now`);
    } catch (error) {
      if (!signal.aborted)
        reporter.warn(
          `${path} has changed, and cannot be used: ${(error as Error).message} What was read before goes on.`,
        );
    }
  }
}
