import type { Stage } from "@rag-ft/core";
import { runAsk } from "./run-ask.js";
import { type AskSettings, askSettings } from "./settings.js";

export { type AskSettings, askSettings } from "./settings.js";

/** `rag-ft ask "…"`: an answer of a tuned system, as it is made, with its passages. */
export const ask: Stage<AskSettings> = {
  name: "ask",
  summary: "ask a tuned system: the answer as it is made, and the passages that it was made from",
  settings: askSettings,
  positionals: ["question"],
  inputs: [],
  run: runAsk,
};
