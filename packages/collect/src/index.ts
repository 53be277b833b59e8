import { ownsFolder, type Stage } from "@rag-ft/core";
import { runCollect } from "./run-collect.js";
import { type CollectSettings, collectSettings } from "./settings.js";

export { type CollectSettings, collectSettings } from "./settings.js";

/** `rag-ft collect`: what users asked and found well answered, as data for the next training. */
export const collect: Stage<CollectSettings> = ownsFolder(
  {
    name: "collect",
    summary: "make training and eval rows of the turns that users of rag-ft serve voted up",
    settings: collectSettings,
    positionals: ["turns"],
    inputs: ["turns", "dataset", "document_path"],
    run: runCollect,
  },
  ({ save_dir }) => save_dir,
);
