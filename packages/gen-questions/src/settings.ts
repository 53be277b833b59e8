import { count, device, number } from "@rag-ft/core";
import { requestSettings } from "@rag-ft/llm";
import { z } from "zod";

/** The reference asks for two questions a passage, and counts so. */
export const QUESTIONS_A_PASSAGE = 2;

export const genQuestionsSettings = z.object({
  mode: z
    .enum(["init_eval_dset", "create_eval_dset", "create_train_dset", "all"])
    .default("all")
    .describe("Part of the work: choose passages, held-out questions, training questions, or all three in turn"),
  document_path: z.string().describe("Document database: documents.jsonl or the reference's .pkl"),
  prompt_model: z
    .string()
    .describe('Who asks: an OpenAI model name, local:<folder or hub id>, or "extractive" (rules, no model)'),
  num_hard_negs_per_doc: count(0).default(2).describe("Hard negatives a passage, from the same source"),
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
