import { betweenCommas, count, device, flag, listOf, precision } from "@rag-ft/core";
import { vectorRequestSettings } from "@rag-ft/llm";
import { rerankSettings, retrievalSettings } from "@rag-ft/retrieval";
import { z } from "zod";

const name = (): z.ZodString => z.string().min(1);

/** Texts, or one text with commas between the items. */
function items(value: unknown): unknown[] {
  return betweenCommas(value).filter((item) => item !== "");
}

const list = (): z.ZodType<string[]> => listOf(z.string());

/** Ascending, each once. */
const depths = (): z.ZodType<number[]> =>
  z.preprocess(
    (value) => [...new Set(items(value).map(Number))].sort((a, b) => a - b),
    z.array(z.number().int().min(1)).min(1),
  );

/** Settings of `test-retriever`. */
export const testRetrieverSettings = z.object({
  model_path: list()
    .default([])
    .describe(
      "the retrievers: folders or hub ids of encoders, or text-embedding-…; the first is what others are compared with; BM25 is always tested too",
    ),
  label: list().optional().describe("names for the table, as many as models; the folders' names when left out"),
  ...retrievalSettings,
  retrieval: retrievalSettings.retrieval.describe(
    "what is tested beside BM25: dense, each model; bm25, nothing; hybrid, each model and then the same with BM25; auto, the latter where the eval questions of train-retriever chose it",
  ),
  ...rerankSettings,
  reranker: rerankSettings.reranker.describe(
    "cross-encoder that reorders the first passages found: each model is tested with it, too, as retrieval finds with it (bm25: BM25); a folder of train-reranker, or the folder or hub id of a reranker",
  ),
  document_path: name().describe("document database: documents.jsonl, .parquet or the reference's .pkl"),
  eval_data_path: name().describe("questions with their gold passages (*_w_q.jsonl or *_w_qa.jsonl)"),
  output_dir: name().describe("folder for figures and what was found for each question"),
  ks: depths().default([1, 4, 10]).describe("depths of recall and nDCG"),
  depth: count(1).default(100).describe("passages retrieved a question; MRR and MAP look no further"),
  index_path: name().optional().describe("folder that keeps the passages' vectors between runs, one folder a model"),
  trec: flag()
    .default(false)
    .describe(
      "write what each retriever found, to depth, as run.trec, and the judgements as qrels.trec, for trec_eval",
    ),
  trec_runs: list()
    .default([])
    .describe(
      "runs of other systems (six columns, as trec_eval reads them), scored beside the models by the same figures",
    ),
  max_test_samples: count(1).optional().describe("only the first so many questions"),
  device: device(),
  precision: precision(),
  seed: count(0).default(0).describe("seed of the intervals"),
  ...vectorRequestSettings(),
});

export type TestRetrieverSettings = z.infer<typeof testRetrieverSettings>;
