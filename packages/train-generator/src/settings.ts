import { count, escapedText, flag, number } from "@rag-ft/core";
import { resultSettings } from "@rag-ft/fine-tune";
import { noAnswerSettings, vectorRequestSettings } from "@rag-ft/llm";
import { rerankSettings, retrievalSettings } from "@rag-ft/retrieval";
import { engineSettings, trainingSettings } from "@rag-ft/train";
import { z } from "zod";

/** Every setting of `train-generator`; names as the reference's command spells them. */
export const trainGeneratorSettings = z.object({
  ...trainingSettings,
  ...engineSettings("trl"),
  measured_by: z
    .enum(["rag-ft", "engine"])
    .default("rag-ft")
    .describe(
      "Who measures base and result of another engine: rag-ft, as after a training here, which reads all weights in fp32 into memory; engine: its own loss on the eval questions, and weights are taken over as they are, however large",
    ),
  model_name_or_path: z.string().min(1).describe("Decoder to fine-tune: folder or hub id"),
  base_dtype: z
    .enum(["fp32", "fp16", "bf16"])
    .default("fp32")
    .describe("Type of the frozen weights in memory while LoRA adapters are trained; fp16, bf16: half the memory"),
  embedding_model: z
    .string()
    .min(1)
    .describe("Retriever, held fixed: folder or hub id of an encoder, or text-embedding-…"),
  embedding_max_num_to_retrieve: count(0)
    .default(3)
    .describe("Passages retrieved a question; a prompt holds at most one more, the gold one"),
  ...retrievalSettings,
  ...rerankSettings,
  full_dataset_file_path: z.string().min(1).describe("Document database (documents.jsonl or .pkl) that is searched"),
  full_dataset_index_path: z.string().optional().describe("Folder that keeps the database's vectors between runs"),
  train_file: z.string().min(1).describe("Questions with answers to train on (*_w_qa.jsonl)"),
  eval_file: z.string().min(1).describe("Questions with answers whose loss chooses the checkpoint (*_w_qa.jsonl)"),
  test_file: z
    .string()
    .optional()
    .describe("Questions with answers kept apart: base's and best checkpoint's loss go to test.json"),
  do_train: flag().default(true).describe("Train; false: only evaluate the model"),
  do_eval: flag().default(true).describe("Evaluate before, during and after training"),
  ...resultSettings,
  max_seq_length: count(16)
    .default(2048)
    .describe("Longest prompt with answer, in tokens; retrieved passages are left out to fit"),
  no_answer_share: number((schema) => schema.min(0).max(0.5))
    .default(0)
    .describe(
      "Share of the rows trained on whose passages hold no answer and whose answer says so: questions asked once more without their gold passage, and up to half of them from no_answer_file; of the eval rows as many",
    ),
  ...noAnswerSettings,
  no_answer_file: z
    .string()
    .optional()
    .describe(
      "Questions that their passages do not answer; default: the *_not_in_passage.jsonl beside train_file, if any",
    ),
  ...vectorRequestSettings(),
  // The prompt: without any of the prefixes and separators as saved with the model, or by its chat template; with one of them in parts.
  system_text: escapedText()
    .optional()
    .describe("Instruction at the start of the prompt; default, here and below: as saved with the model"),
  system_prefix: escapedText().optional().describe("Before the instruction, such as <|im_start|>system\\n"),
  sep_system: escapedText().optional().describe("After instruction and passages"),
  user_prefix: escapedText().optional().describe("Before the question; else USER"),
  assistant_prefix: escapedText().optional().describe("Before the answer; else ASSISTANT"),
  sep_user: escapedText().optional().describe("After the question; else a space"),
  sep_sys: escapedText().optional().describe("After the answer: the stop token that is learned; else </s>"),
  citations: flag()
    .optional()
    .describe(
      "Number the passages of prompts, and learn to cite them: [1]; default: as saved with the model, else where the training's answers have citations (gen-answers --citations)",
    ),
  enable_thinking: flag()
    .optional()
    .describe(
      "The chat template's switch for thinking models; off unless saved with the model; thoughts are never learned",
    ),
});

export type TrainGeneratorSettings = z.infer<typeof trainGeneratorSettings>;
