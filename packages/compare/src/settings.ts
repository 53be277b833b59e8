import { betweenCommas, count } from "@rag-ft/core";
import { z } from "zod";

const run = (): z.ZodString => z.string().min(1);

/** Settings of `compare`. */
export const compareSettings = z.object({
  run_a: run().describe("a run: folder that test-e2e or test-retriever wrote, or a file of predictions"),
  run_b: run().describe("the run to compare with it, over the same questions"),
  out: z.string().min(1).optional().describe("JSON file for the comparison, with examples"),
  figures: z
    .preprocess((value) => betweenCommas(value).filter((name) => name !== ""), z.array(z.string()))
    .optional()
    .describe(
      "only these figures, whole names or their ends, such as rougeL,recall@4; all that both runs have when left out",
    ),
  examples: count(0).default(3).describe("wins and losses shown of a figure, those of the largest difference first"),
  seed: count(0).default(0).describe("seed of the intervals and tests"),
});

export type CompareSettings = z.infer<typeof compareSettings>;
