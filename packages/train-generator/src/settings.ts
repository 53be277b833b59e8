import { count, defaultPromptFormat, escapedText, flag } from "@rag-ft/core";
import { trainingSettings } from "@rag-ft/train";
import { z } from "zod";

/** Every setting of `train-generator`; names as the reference's command spells them. */
export const trainGeneratorSettings = z.object({
  ...trainingSettings,
  model_name_or_path: z.string().min(1).describe("Decoder to fine-tune: folder or hub id"),
  embedding_model: z
    .string()
    .min(1)
    .describe("Retriever, held fixed: folder or hub id of an encoder, or text-embedding-…"),
  embedding_max_num_to_retrieve: count(0)
    .default(3)
    .describe("Passages retrieved a question; a prompt holds at most one more, the gold one"),
  full_dataset_file_path: z.string().min(1).describe("Document database (documents.jsonl or .pkl) that is searched"),
  full_dataset_index_path: z.string().optional().describe("Folder that keeps the database's vectors between runs"),
  train_file: z.string().min(1).describe("Questions with answers to train on (*_w_qa.jsonl)"),
  eval_file: z.string().min(1).describe("Questions with answers whose loss chooses the checkpoint (*_w_qa.jsonl)"),
  test_file: z
    .string()
    .optional()
    .describe("Questions with answers kept apart: base's and best checkpoint's loss go to test.json"),
  do_eval: flag().default(true).describe("Evaluate before, during and after training"),
  max_seq_length: count(16)
    .default(2048)
    .describe("Longest prompt with answer, in tokens; retrieved passages are left out to fit"),
  system_text: escapedText()
    .default(defaultPromptFormat.system_text)
    .describe("Instruction at the start of the prompt"),
  system_prefix: escapedText()
    .default(defaultPromptFormat.system_prefix)
    .describe("Before the instruction, such as <|im_start|>system\\n"),
  sep_system: escapedText().default(defaultPromptFormat.sep_system).describe("After instruction and passages"),
  user_prefix: escapedText().default(defaultPromptFormat.user_prefix).describe("Before the question"),
  assistant_prefix: escapedText().default(defaultPromptFormat.assistant_prefix).describe("Before the answer"),
  sep_user: escapedText().default(defaultPromptFormat.sep_user).describe("After the question"),
  sep_sys: escapedText()
    .default(defaultPromptFormat.sep_sys)
    .describe("After the answer: the stop token that is learned"),
});

export type TrainGeneratorSettings = z.infer<typeof trainGeneratorSettings>;
