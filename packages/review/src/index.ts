import type { Stage } from "@rag-ft/core";
import { runReview } from "./run-review.js";
import { type ReviewSettings, reviewSettings } from "./settings.js";

export { type ReviewSettings, reviewSettings } from "./settings.js";

/** `rag-ft review`: a local page on which people label answers of a test, or those that users got. */
export const review: Stage<ReviewSettings> = {
  name: "review",
  summary: "serve a local page on which people label answers of a test, or turns of serve, and see how far they agree",
  settings: reviewSettings,
  positionals: ["predictions"],
  inputs: ["predictions"],
  run: runReview,
};
