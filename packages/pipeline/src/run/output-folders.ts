import type { SettingValues } from "../any-stage.js";

/** The folders that a stage's settings name as its output. */
export function outputFolders({ values }: { values: SettingValues }): string[] {
  return ["save_dir", "output_dir"].map((key) => values[key]).filter((value) => typeof value === "string");
}
