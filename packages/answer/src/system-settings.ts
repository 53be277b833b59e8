import { count, device, escapedText, flag } from "@rag-ft/core";
import { rerankSettings, retrievalSettings } from "@rag-ft/retrieval";
import { z } from "zod";
import { FOLLOW_UPS } from "./follow-ups.js";

const name = (): z.ZodOptional<z.ZodString> => z.string().min(1).optional();

/**
 * A system as settings of a stage: a run, or its parts by the names that test-e2e gives them, which go before what the run says. What is left out is
 * as the run has it, else as `openRag` has it.
 */
export const systemSettings = {
  run: name().describe(
    "folder of a run (or its YAML file), or of one trained model: its generator, retriever and database; left out, and no models named: the newest run below result",
  ),
  qa_model_name_or_path: name().describe(
    "the generator: a folder or hub id of a decoder, or a model behind the OpenAI API (gpt-…)",
  ),
  embedding_model_name_or_path: name().describe("the retriever: a folder or hub id of an encoder, or text-embedding-…"),
  document_path: name().describe("document database: documents.jsonl, .parquet or the reference's .pkl"),
  index_path: name().describe("folder that keeps the passages' vectors; with run, its folder index"),
  retrieval: retrievalSettings.retrieval
    .unwrap()
    .optional()
    .describe("how passages are found; as the run has it, else dense"),
  bm25_weight: retrievalSettings.bm25_weight,
  vector_store: retrievalSettings.vector_store
    .unwrap()
    .optional()
    .describe(
      "where vectors are searched; as the run has it, else auto: in memory (test-retriever's help lists the others)",
    ),
  vector_store_url: retrievalSettings.vector_store_url,
  ...rerankSettings,
  embedding_max_num_to_retrieve: count(1).optional().describe("passages in the prompt; as the run has it, else 4"),
  max_seq_length: count(16)
    .optional()
    .describe("tokens of prompt and answer together, for a local generator; else 2048"),
  max_new_tokens: count(1).optional().describe("tokens of an answer, at most; as the run has it, else 256"),
  request_timeout: count(1).default(300).describe("seconds that a generator behind an API has"),
  system_text: escapedText().optional().describe("instruction at the start of the prompt"),
  citations: flag()
    .optional()
    .describe("number the passages and ask for answers that cite them ([1]); as the model was trained when left out"),
  follow_ups: z
    .enum(FOLLOW_UPS)
    .optional()
    .describe(
      "what a question of a dialogue is searched by: turns, the last questions with it; rewrite, what the generator makes of it so that it stands alone (one more request); else rewrite for a generator behind an API, turns for one here",
    ),
  seed: count(0).default(0).describe("seed given to the models"),
  device: device(),
};

const schema = z.object(systemSettings);

export type SystemSettings = z.infer<typeof schema>;
