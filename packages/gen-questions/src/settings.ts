import { count, device, number, SPLIT_PROCEDURES } from "@rag-ft/core";
import { requestSettings } from "@rag-ft/llm";
import { miningSettings } from "@rag-ft/retrieval";
import { z } from "zod";
import { FILTERS, filtersSetting } from "./filters.js";

/** The reference asks for two questions a passage, and counts so. */
export const QUESTIONS_A_PASSAGE = 2;

export const genQuestionsSettings = z.object({
  mode: z
    .enum(["init_eval_dset", "create_eval_dset", "create_train_dset", "all"])
    .default("all")
    .describe("Part of the work: choose passages, held-out questions, training questions, or all three in turn"),
  document_path: z.string().describe("Document database: documents.jsonl, .parquet or the reference's .pkl"),
  prompt_model: z
    .string()
    .describe('Who asks: an OpenAI model name, local:<folder or hub id>, or "extractive" (rules, no model)'),
  num_hard_negs_per_doc: count(0).default(2).describe("Hard negatives a passage"),
  hard_negatives: z
    .enum(["same-source", "same-source-only", "mined"])
    .default("same-source")
    .describe(
      "Hard negatives drawn from the passage's source, and from others where it has too few; same-source-only leaves such sources out, as the reference; mined: from the whole database with the base retriever",
    ),
  ...miningSettings,
  filters: filtersSetting().describe(
    `Filters that a question has to pass: some of ${FILTERS.join(",")}, all, or none (the reference's procedure)`,
  ),
  round_trip_k: count(1)
    .default(10)
    .describe("For the round-trip filter: the question has to retrieve its passage, or a copy of it, among so many"),
  embedding_model: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Base retriever of the round-trip filter and of mined negatives: a folder or hub id, or text-embedding-…",
    ),
  index_path: z.string().min(1).optional().describe("Folder that keeps the base retriever's vectors between runs"),
  split_by: z
    .enum(SPLIT_PROCEDURES)
    .default("passage")
    .describe(
      "What training, evaluation and test sets do not share: gold passages, whole sources, or only questions; question asks held-out passages again for training, as the reference",
    ),
  num_train_data: count(1).default(1000).describe("Training questions wanted, at two a passage"),
  num_eval_test_data: count(4).default(400).describe("Held-out questions wanted, half for evaluation, half for test"),
  save_dir: z.string().describe("Folder for the output"),
  config: z.string().optional().describe("Domain config (YAML): prompts and passage filter"),
  seed: count(0).default(0).describe("Seed of every random choice"),
  temperature: number((schema) => schema.min(0).max(2))
    .default(0.7)
    .describe("Sampling temperature, 0 for greedy"),
  max_new_tokens: count(1).default(128).describe("Longest reply, in tokens"),
  device: device(),
  ...requestSettings({ timeout: 30 }),
});

export type GenQuestionsSettings = z.infer<typeof genQuestionsSettings>;
