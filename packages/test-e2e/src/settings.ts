import { count, device, escapedText, flag } from "@rag-ft/core";
import { noAnswerSettings, requestSettings } from "@rag-ft/llm";
import { rerankSettings, retrievalSettings } from "@rag-ft/retrieval";
import { z } from "zod";

const name = (): z.ZodString => z.string().min(1);

/** Settings of `test-e2e`; the flags of the reference under the same names, and ours. */
export const testE2eSettings = z.object({
  qa_model_name_or_path: name().describe(
    "the generator: a folder or hub id of a decoder, or a model behind the OpenAI API (gpt-…); local: and openai: decide when in doubt",
  ),
  embedding_model_name_or_path: name().describe("the retriever: a folder or hub id of an encoder, or text-embedding-…"),
  ...retrievalSettings,
  ...rerankSettings,
  document_path: name().describe("document database: documents.jsonl, .parquet or the reference's .pkl"),
  index_path: name()
    .optional()
    .describe("folder that keeps the passages' vectors between runs; with compare_base, in output_dir when left out"),
  eval_data_path: name().describe("questions with gold answers (*_w_qa.jsonl)"),
  output_dir: name().describe("folder for predictions and scores"),
  label: name().optional().describe("name of this system in the table; the generator's name when left out"),
  embedding_max_num_to_retrieve: count(1).default(4).describe("passages in the prompt"),
  max_seq_length: count(16).default(2048).describe("tokens of prompt and answer together, for a local generator"),
  max_new_tokens: count(1).default(256).describe("tokens of an answer, at most"),
  max_test_samples: count(1).optional().describe("only the first so many questions"),
  system_text: escapedText()
    .optional()
    .describe(
      "instruction at the start of the prompt; without any of the six that follow, a local generator is asked as it was trained, or by its own chat template",
    ),
  system_prefix: escapedText().optional().describe("before the instruction"),
  sep_system: escapedText().optional().describe("after instruction and passages"),
  user_prefix: escapedText().optional().describe("before the question"),
  assistant_prefix: escapedText().optional().describe("before the answer"),
  sep_user: escapedText().optional().describe("after the question"),
  sep_sys: escapedText().optional().describe("after the answer; generation stops here"),
  citations: flag()
    .optional()
    .describe(
      "number the passages, ask for answers that cite them ([1]), and check the citations; as in training when left out, else off",
    ),
  enable_thinking: flag()
    .optional()
    .describe("let a local thinking model think before it answers; as in training when left out, else off"),
  gen_gpt4eval: flag().default(false).describe("have a judge model say whether each answer is correct"),
  judge_faithfulness: flag()
    .default(false)
    .describe("have the judge model say whether each answer keeps to the passages of its prompt"),
  judge_model: name()
    .default("gpt-4.1-2025-04-14")
    .describe("the judge: a model behind the OpenAI API, or local:<folder>"),
  judge_repeats: count(1)
    .default(1)
    .describe("ask the judge so often about each answer; the first verdict counts, the others give the flip rate"),
  judge_labels: name()
    .optional()
    .describe("people's labels of answers (JSONL, as rag-ft review writes it): Cohen's kappa of judge and people"),
  no_answer_eval: flag()
    .default(false)
    .describe(
      "ask each question once more from passages that do not hold its answer, and say how often each asking is answered or refused, rightly or wrongly; the judge, where one is asked, tells refusals too",
    ),
  ...noAnswerSettings,
  compare_base: flag()
    .default(false)
    .describe(
      "also test base retriever and base generator, in every combination with the tuned ones, and the generators with the gold passages (upper bound) and without any (lower bound)",
    ),
  base_qa_model_name_or_path: name()
    .optional()
    .describe("compare_base: the generator before tuning; as recorded beside the tuned one when left out"),
  base_embedding_model_name_or_path: name()
    .optional()
    .describe("compare_base: the retriever before tuning; as recorded beside the tuned one when left out"),
  device: device(),
  ...requestSettings({ timeout: 300 }),
  seed: count(0).default(0).describe("seed given to the models"),
});

export type TestE2eSettings = z.infer<typeof testE2eSettings>;
