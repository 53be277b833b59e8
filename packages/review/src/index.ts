import type { Stage } from "@rag-ft/core";
import { runReview } from "./run-review.js";
import { type ReviewSettings, reviewSettings } from "./settings.js";

export { type ReviewSettings, reviewSettings } from "./settings.js";

/** `rag-ft review`: a local page on which a person labels answers. */
export const review: Stage<ReviewSettings> = {
  name: "review",
  summary: "serve a local page to label answers as correct, incorrect or a retrieval fault",
  settings: reviewSettings,
  inputs: ["predictions"],
  run: runReview,
};
