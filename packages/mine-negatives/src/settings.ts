import { count, device, precision, shardSetting } from "@rag-ft/core";
import { requestSettings } from "@rag-ft/llm";
import { miningSettings, storeSettings } from "@rag-ft/retrieval";
import { z } from "zod";

export const mineNegativesSettings = z.object({
  dataset_w_q: z.string().min(1).describe("Questions: one *_w_q.jsonl, or the folder with train, eval and test"),
  document_path: z
    .string()
    .min(1)
    .describe("Document database to mine: documents.jsonl, .parquet or the reference's .pkl"),
  embedding_model: z.string().min(1).describe("Base retriever: a folder or hub id of an encoder, or text-embedding-…"),
  save_dir: z.string().min(1).describe("Folder for the new files, which keep their names; another than the questions'"),
  num_hard_negs_per_doc: count(1).default(2).describe("Hard negatives a passage"),
  ...miningSettings,
  index_path: z.string().min(1).optional().describe("Folder that keeps the passages' vectors between runs"),
  ...storeSettings,
  seed: count(0).default(0).describe("Seed of the drawing"),
  device: device(),
  precision: precision(),
  shard: shardSetting(
    "each worker of n mines for its share of the rows and writes <save_dir>/shards, which rag-ft merge puts together",
  ),
  relabel_with: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Who looks at each negative again: an LLM (a model name, or local:<folder or hub id>) or the folder of a reranker; what answers the question is no negative, and a positive in files of training",
    ),
  config: z.string().optional().describe("Domain config (YAML): the answerability_prompt of relabelling"),
  ...requestSettings({ timeout: 60 }),
});

export type MineNegativesSettings = z.infer<typeof mineNegativesSettings>;
