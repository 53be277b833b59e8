import { count, flag } from "@rag-ft/core";
import { resultSettings } from "@rag-ft/fine-tune";
import { nameInFiles, retrieverNames } from "@rag-ft/metrics";
import { DEFAULT_RERANK_TOP_N, miningSettings, retrievalSettings } from "@rag-ft/retrieval";
import { engineSettings, RERANKING_LOSSES, trainingSettings } from "@rag-ft/train";
import { z } from "zod";

/** Depths of recall; MRR and others reach as far as passages are reordered. */
export const RECALL_DEPTHS = [1, 4];

/** Before the names of figures on the eval split. */
const EVAL_PREFIX = "eval_retr/";

/** Names that say no depth of their own, as how many passages are reordered is a setting. */
const METRICS = retrieverNames({ ks: RECALL_DEPTHS, searched: 0 }, EVAL_PREFIX).filter((name) => !name.includes("@"));

const path = (): z.ZodString => z.string().min(1);

/** Settings that name what is read. A run goes on with other names for the same content. */
export const INPUTS: (keyof TrainRerankerSettings & string)[] = [
  "model_path",
  "embedding_model",
  "retrieval_choice_of",
  "vector_store",
  "full_dataset_file_path",
  "train_file",
  "eval_file",
  "test_file",
];

/** Every setting of `train-reranker`. */
export const trainRerankerSettings = z.object({
  ...trainingSettings,
  ...engineSettings("sentence-transformers"),
  per_device_train_batch_size: count(1)
    .default(8)
    .describe("Questions a step, each with its gold passage and negatives (times gradient_accumulation_steps)"),
  num_train_epochs: trainingSettings.num_train_epochs
    .unwrap()
    .default(3)
    .describe("Passes over the questions, at most"),
  eval_steps: count(0)
    .default(20)
    .describe("Steps between evaluations; 0: only before the first and after the last step"),
  early_stopping_patience: count(1)
    .default(3)
    .describe("Training ends when so many evaluations in a row were no better than the best one after training began"),
  model_path: path().describe(
    "What is trained: folder or hub id of a reranker, or of an encoder, which gets a head of one label, made anew with the seed",
  ),
  embedding_model: path()
    .optional()
    .describe(
      "The first stage's encoder, a folder or hub id: finds what is reordered, and the negatives; not for bm25",
    ),
  ...retrievalSettings,
  retrieval: retrievalSettings.retrieval
    .unwrap()
    .default("hybrid")
    .describe("How the first stage finds passages; as it will where the reranker is used"),
  full_dataset_file_path: path().describe("Document database (documents.jsonl or .pkl): what is searched"),
  index_path: path().optional().describe("Folder that keeps the passages' vectors between runs, one folder a model"),
  train_file: path().describe("Questions to train on (*_w_q.jsonl)"),
  eval_file: path().describe("Questions that choose the checkpoint and the weight (*_w_q.jsonl)"),
  test_file: z
    .string()
    .optional()
    .describe("Questions kept apart: first stage, base and result are measured on them at the end"),
  do_train: flag().default(true).describe("Train; false: only evaluate the model"),
  do_eval: flag().default(true).describe("Evaluate before, during and after training"),
  loss: z
    .enum(RERANKING_LOSSES)
    .default("listwise")
    .describe("listwise: softmax over a question's gold passage and its negatives; binary: each pair by itself"),
  negatives: z
    .enum(["mined", "rows"])
    .default("mined")
    .describe("mined: from the database, by the first stage; rows: the questions' own hard_neg_docs"),
  num_negatives: count(1).default(7).describe("Negatives of a question in a step, drawn anew in each"),
  ...miningSettings,
  negative_pool: count(1).default(30).describe("mined: negatives are drawn from so many of the hardest that qualify"),
  max_seq_length: count(16)
    .optional()
    .describe("Longest pair in tokens, of which the passage is cut; default what the model says, at most 512"),
  rerank_top_n: count(4).default(DEFAULT_RERANK_TOP_N).describe("So many first passages are reordered in evaluations"),
  metric_for_best_model: z
    .preprocess((name) => (typeof name === "string" ? nameInFiles(name, EVAL_PREFIX) : name), z.enum(METRICS))
    .default("eval_retr/mrr")
    .describe(
      "What chooses checkpoint and weight: mrr (of the passages that are reordered), near_recall@1, recall@4 or another name of docs/figures.md",
    ),
  ...resultSettings,
  keep_base_unless: resultSettings.keep_base_unless
    .unwrap()
    .optional()
    .describe(
      "When the base itself is the result, the model given or, where it has no head, the search alone: significant, the default with do_eval: unless the 95 % interval of the difference, question by question, leaves 0 out; better: unless a checkpoint's figure on the eval questions is better. The same decides whether the search alone is kept (weight 0)",
    ),
});

export type GivenSettings = z.infer<typeof trainRerankerSettings>;
export type TrainRerankerSettings = GivenSettings & { keep_base_unless: "better" | "significant" };
