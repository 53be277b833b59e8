import { dirname, resolve } from "node:path";
import { ownsFolder, type Stage } from "@rag-ft/core";
import { runMerge } from "./run-merge.js";
import { type MergeSettings, mergeSettings } from "./settings.js";

export { type MergeSettings, mergeSettings } from "./settings.js";

/** `rag-ft merge`: the shards of a stage, checked, as the file that the stage writes when it does all alone. */
export const merge: Stage<MergeSettings> = ownsFolder(
  {
    name: "merge",
    summary: "check the shards that several workers made, and put them together to the file that one alone would write",
    settings: mergeSettings,
    positionals: ["shards"],
    inputs: ["shards"],
    run: (settings, context) => runMerge({ save_dir: folderOf(settings), ...settings }, context),
  },
  folderOf,
);

function folderOf({ save_dir, shards }: MergeSettings): string {
  return save_dir ?? dirname(resolve(shards));
}
