import { count, device, flag, number } from "@rag-ft/core";
import { requestSettings } from "@rag-ft/llm";
import { z } from "zod";

export const genAnswersSettings = z.object({
  prompt_model: z
    .string()
    .describe('Who answers: an OpenAI model name, local:<folder or hub id>, or "extractive" (rules, no model)'),
  dataset_w_q: z.string().describe("Questions: one *_w_q.jsonl, or the folder with train, eval and test"),
  save_name: z.string().optional().describe("Name of the output, for a single file (default <split>_w_qa.jsonl)"),
  save_dir: z.string().optional().describe("Folder for the output (default: beside the questions)"),
  start_data_idx: count(0).default(0).describe("First question to answer, from 0"),
  end_data_idx: count(1).optional().describe("Question to stop before; all when left out"),
  shuffle_data: flag().default(false).describe("Shuffle the questions before start_data_idx and end_data_idx apply"),
  config: z.string().optional().describe("Domain config (YAML): prompts"),
  seed: count(0).default(0).describe("Seed of every random choice"),
  temperature: number((schema) => schema.min(0).max(2))
    .default(0)
    .describe("Sampling temperature, 0 for greedy"),
  citations: flag().default(false).describe("Ask for answers that cite the passages that they come from: [1]"),
  max_new_tokens: count(1).default(256).describe("Longest answer, in tokens"),
  device: device(),
  ...requestSettings({ timeout: 60 }),
});

export type GenAnswersSettings = z.infer<typeof genAnswersSettings>;
