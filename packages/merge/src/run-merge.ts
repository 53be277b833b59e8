import { DataError, readShardSets, type StageContext, type StageResult } from "@rag-ft/core";
import { mergePassages } from "./merge-passages.js";
import { mergeRows } from "./merge-rows.js";
import type { Merging } from "./merging.js";
import type { MergeSettings } from "./settings.js";

/** A row for each stage that is done in shards. */
const MERGINGS: Readonly<Record<string, Merging>> = {
  "mine-negatives": mergeRows,
  "prepare-docs": mergePassages,
};

/** Checks all shards, then merges one file after the other. */
export async function runMerge(
  { shards, save_name, save_dir: folder }: MergeSettings & { save_dir: string },
  context: StageContext,
): Promise<StageResult> {
  const sets = await readShardSets(shards, save_name);
  const merged: Awaited<ReturnType<Merging>>[] = [];
  for (const set of sets) {
    const merging = MERGINGS[set.stage];
    if (merging === undefined)
      throw new DataError(
        `${shards}: the shards of ${set.name} are of ${set.stage}, which this version of rag-ft does not merge. Take the version that made them.`,
      );
    merged.push(await merging(set, folder, context));
  }
  return {
    outputs: merged.flatMap(({ outputs }) => outputs),
    figures: Object.assign({}, ...merged.map(({ figures }) => figures)),
    summary: merged.flatMap(({ lines }) => lines).join("\n"),
  };
}
