import { join } from "node:path";
import { readJsonIfThere, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";

/** Beside the reranker's weights. */
export const RERANKER_FILE = "reranker.json";

const fileSchema = z.looseObject({
  version: z.literal(1),
  rerank_weight: z.number().min(0).max(1),
  rerank_top_n: z.number().int().min(1),
  /** The search whose passages it was trained and chosen on, for people. */
  first_stage: z.string(),
  chosen_by: z.string(),
  questions: z.number(),
  over_first_stage: z
    .looseObject({ rerank_weight: z.number(), gain: z.number(), low: z.number(), high: z.number() })
    .optional(),
  candidates: z.array(z.looseObject({ rerank_weight: z.number(), figures: z.record(z.string(), z.number()) })),
});

/** What the eval questions of train-reranker chose for a reranker. */
export type RerankerFile = z.infer<typeof fileSchema>;

/** Keeps the choice beside a reranker, whole or not at all. */
export function writeRerankerFile(folder: string, chosen: Omit<RerankerFile, "version">): Promise<void> {
  return writeJsonAtomic(join(folder, RERANKER_FILE), { version: 1, ...chosen });
}

/**
 * What was chosen for a reranker; undefined where nothing was, as with a model of the hub.
 *
 * @throws DataError when the file is none of train-reranker's.
 */
export function readRerankerFile(folder: string): Promise<RerankerFile | undefined> {
  return readJsonIfThere(
    join(folder, RERANKER_FILE),
    fileSchema,
    'expected what train-reranker writes ({"version": 1, "rerank_weight": 0 to 1, "rerank_top_n": …}), found something else. ' +
      "Train the reranker again, or remove the file and give --rerank_weight.",
  );
}
