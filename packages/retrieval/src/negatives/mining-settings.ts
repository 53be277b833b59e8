import { count, number } from "@rag-ft/core";
import type { MineOptions } from "./mine-hard-negatives.js";

// 0.97 and not the 0.95 of NV-Retriever: encoders such as E5 give passages cosines that lie close together. On Faire's training questions, 19 % of the
// 50 passages that e5-small-v2 retrieves first score below 0.95 of the gold passage's score, and for 360 of 557 questions none does.
/** Settings of every stage that mines hard negatives. */
export const miningSettings = {
  negative_margin: number((schema) => schema.positive().max(1))
    .default(0.97)
    .describe("A mined negative scores below this share of the gold passage's score, for each question of its row"),
  negative_pool: count(1)
    .default(10)
    .describe("Mined negatives are drawn from so many of the hardest passages that qualify"),
};

/** What a stage's settings say of mining. */
export function miningOptions(settings: {
  num_hard_negs_per_doc: number;
  negative_margin: number;
  negative_pool: number;
  seed: number;
}): Pick<MineOptions, "count" | "margin" | "pool" | "seed"> {
  return {
    count: settings.num_hard_negs_per_doc,
    margin: settings.negative_margin,
    pool: settings.negative_pool,
    seed: settings.seed,
  };
}
