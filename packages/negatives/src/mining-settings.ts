import { count, number } from "@rag-ft/core";

// 0.97 and not the 0.95 of NV-Retriever: encoders such as E5 give all passages cosines above 0.7, and on Faire fewer than 1 in 50 of the
// passages that e5-small-v2 retrieves first scores below 0.95 of the gold passage's score.
/** Settings of every stage that mines hard negatives. */
export const miningSettings = {
  negative_margin: number((schema) => schema.positive().max(1))
    .default(0.97)
    .describe("A mined negative scores below this share of the gold passage's score, for each question of its row"),
  negative_pool: count(1)
    .default(10)
    .describe("Mined negatives are drawn from so many of the hardest passages that qualify"),
};
