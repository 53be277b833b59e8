import type { Stage } from "@rag-ft/core";
import { runCompare } from "./run-compare.js";
import { type CompareSettings, compareSettings } from "./settings.js";

export { type CompareSettings, compareSettings } from "./settings.js";

/** Whether two runs over the same questions differ by more than chance. */
export const compare: Stage<CompareSettings> = {
  name: "compare",
  summary: "compare two runs, question by question: differences with intervals, tests, examples",
  settings: compareSettings,
  positionals: ["run_a", "run_b"],
  inputs: ["run_a", "run_b"],
  run: runCompare,
};
