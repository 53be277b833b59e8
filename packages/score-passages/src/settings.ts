import { count, device, listOf } from "@rag-ft/core";
import { vectorRequestSettings } from "@rag-ft/llm";
import { retrievalSettings } from "@rag-ft/retrieval";
import { z } from "zod";

const path = (): z.ZodString => z.string().min(1);

/** Passages of a question where nothing says how many; as in LocalRQA. */
const DEFAULT_NUM_DOCS = 20;

export const scorePassagesSettings = z.object({
  question_files: listOf(path(), 1).describe(
    "Questions (*_w_q.jsonl, or *_w_qa.jsonl with their answers), several files between commas: all that will be trained on, once each",
  ),
  document_path: path().describe(
    "Document database that is searched: documents.jsonl, .parquet or the reference's .pkl",
  ),
  output_file: path().describe(
    "File of the scores, for --distil_from of train-retriever; what it holds already, as far as nothing has changed, is kept",
  ),
  reranker: path().optional().describe("Cross-encoder that scores: a folder of train-reranker, or a folder or hub id"),
  qa_model_name_or_path: path()
    .optional()
    .describe(
      "Decoder that scores, a folder or hub id: by the mean log-likelihood of a token of the gold answer, given the passage in the prompt that it was trained with (REPLUG); the files must hold answers",
    ),
  candidates: z
    .enum(["retrieved", "rows"])
    .default("retrieved")
    .describe(
      "Passages that are scored beside a question's gold ones: the first that a search of the database finds, or the questions' own hard_neg_docs, such as those of mine-negatives",
    ),
  num_docs: count(2).default(DEFAULT_NUM_DOCS).describe("Passages of a question at most, its gold ones among them"),
  embedding_model: path()
    .optional()
    .describe("retrieved: the search's encoder, a folder or hub id, or text-embedding-…; not for bm25"),
  ...retrievalSettings,
  retrieval: retrievalSettings.retrieval
    .unwrap()
    .default("hybrid")
    .describe("retrieved: how the database is searched, as on the other stages"),
  index_path: path().optional().describe("Folder that keeps the passages' vectors between runs, one folder a model"),
  max_seq_length: count(16)
    .optional()
    .describe(
      "Longest pair, or prompt with answer, in tokens, to which the passage is cut; default for a reranker what the model says, at most 512, for a generator 2048 or the model's own limit",
    ),
  threads: count(0).default(0).describe("Threads of ONNX Runtime; 0: one for each core"),
  device: device(),
  ...vectorRequestSettings(),
});

export type ScorePassagesSettings = z.infer<typeof scorePassagesSettings>;
