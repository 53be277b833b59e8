import { ownsFolder, type Stage } from "@rag-ft/core";
import { runCollect } from "./run-collect.js";
import { type CollectSettings, collectSettings } from "./settings.js";

export { type CollectSettings, collectSettings } from "./settings.js";

/** `rag-ft collect`: what users asked, where they or reviewers found it well answered, as data for the next training. */
export const collect: Stage<CollectSettings> = ownsFolder(
  {
    name: "collect",
    summary: "make training and eval rows of turns of rag-ft serve that users voted up or reviewers labelled correct",
    settings: collectSettings,
    positionals: ["turns"],
    inputs: ["turns", "labels_file", "dataset", "document_path"],
    run: runCollect,
  },
  ({ save_dir }) => save_dir,
);
