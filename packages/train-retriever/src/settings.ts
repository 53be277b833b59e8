import { count, escapedText, flag, listOf, number } from "@rag-ft/core";
import { resultSettings } from "@rag-ft/fine-tune";
import { nameInFiles, REFERENCE_DEPTHS, retrieverNames } from "@rag-ft/metrics";
import { POOLINGS } from "@rag-ft/models";
import { DISTILLATION_LOSSES, engineSettings, trainingSettings } from "@rag-ft/train";
import { z } from "zod";

export const POSITIVES = ["one", "all"] as const;

export const SIMILARITIES = ["cosine", "dot"] as const;

/** Before the names of figures on the eval split. */
export const EVAL_PREFIX = "eval_retr/";

/** Every setting of `train-retriever`; names as the reference's command spells them. */
export const trainRetrieverSettings = z.object({
  ...trainingSettings,
  ...engineSettings("sentence-transformers"),
  model_path: z.string().min(1).describe("Encoder to fine-tune: folder or hub id"),
  full_dataset_file_path: z
    .string()
    .min(1)
    .describe("Document database (documents.jsonl or .pkl): what is searched in evaluations"),
  index_path: z
    .string()
    .min(1)
    .optional()
    .describe("Folder that keeps the passages' vectors between runs, the base's and the result's, one folder a model"),
  train_file: z.string().min(1).describe("Questions to train on (*_w_q.jsonl)"),
  eval_file: z.string().min(1).describe("Questions that choose the checkpoint (*_w_q.jsonl)"),
  test_file: z
    .string()
    .optional()
    .describe("Questions kept apart: base and best checkpoint are measured on them at the end"),
  do_train: flag().default(true).describe("Train; false: only evaluate the model"),
  do_eval: flag().default(true).describe("Evaluate before, during and after training"),
  pooling_type: z
    .enum(POOLINGS)
    .optional()
    .describe(
      "Sentence vector: mean of the tokens', the first or the last one's, the largest of each entry, or a mean that later tokens weigh more in; default: as saved with the model, else mean (Qwen3: lasttoken)",
    ),
  contrastive_loss: z.enum(["inbatch_contrastive"]).default("inbatch_contrastive").describe("The loss"),
  similarity: z
    .enum(SIMILARITIES)
    .optional()
    .describe(
      "cosine or dot (unnormalised, as the reference); default: dot with temperature 1, else as saved with the model, else cosine",
    ),
  temperature: number((n) => n.positive())
    .optional()
    .describe("Scores are divided by it; default 0.02 for cosine, 1 for dot"),
  hard_neg_ratio: number((n) => n.min(0))
    .default(0.05)
    .describe("Hard negatives in a batch, as a share of its questions"),
  mask_near_duplicates: flag()
    .default(false)
    .describe("Passages that contain a question's gold passage, or are contained in it, are never its negatives"),
  positives: z
    .enum(POSITIVES)
    .default("one")
    .describe(
      "one: a question's own gold passage, its others being masked; all: also the gold passages of other rows that ask the same, and passages that hold what a gold one says, where they are in the step (SINCERE loss)",
    ),
  extra_positives: count(0)
    .default(0)
    .describe("positives all: so many of a question's other positives are drawn from the database into each step"),
  distil_from: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of score-passages: the training questions' passages as a reranker or a generator scored them, from which the encoder learns besides; it may hold other questions, too",
    ),
  distil_loss: z
    .enum(DISTILLATION_LOSSES)
    .default("kl")
    .describe(
      "distil_from: kl: between the distributions over a question's passages; margin_mse: squared error of the distances from the gold passage's score",
    ),
  distil_weight: number((n) => n.positive().max(1))
    .default(0.5)
    .describe("distil_from: share of its loss in the whole, the contrastive loss having the rest; 1: its loss alone"),
  distil_passages: count(2)
    .default(8)
    .describe("distil_from: passages of a question in a step, the gold one and others drawn anew in each"),
  distil_teacher_temperature: number((n) => n.positive())
    .optional()
    .describe("distil_from: the file's scores are divided by it; default: 1 for a reranker's, 0.1 for a generator's"),
  distil_student_temperature: number((n) => n.positive())
    .optional()
    .describe("distil_from: the encoder's similarities are divided by it; default: as temperature"),
  matryoshka_dims: listOf(count(1), 1)
    .optional()
    .describe(
      "Lengths that vectors are trained to be of use at, such as 384,256,128,64: the loss is the sum over vectors cut to each; default: whole vectors only",
    ),
  truncate_dim: count(1)
    .optional()
    .describe("Vectors are cut to so many entries, in training, evaluation and use; default: as saved with the model"),
  dropout: number((n) => n.min(0).lt(1))
    .default(0)
    .describe(
      "Share of hidden values and attention weights that a training step drops, such as 0.1, what most encoders were pretrained with; not in frozen layers",
    ),
  query_prefix: escapedText()
    .optional()
    .describe("Before each question; default: as saved with the model, E5's for E5 models"),
  passage_prefix: escapedText().optional().describe("Before each passage; likewise"),
  max_seq_length: count(8).optional().describe("Longest text in tokens; default 512 or the model's own limit"),
  activation_memory: count(0)
    .default(1024)
    .describe("MB for activations kept from the forward to the backward pass; what finds no room is computed twice"),
  metric_for_best_model: z
    .preprocess(
      (name) => (typeof name === "string" ? nameInFiles(name, EVAL_PREFIX) : name),
      z.enum(retrieverNames(REFERENCE_DEPTHS, EVAL_PREFIX)),
    )
    .default("eval_retr/document_recall/recall4")
    .describe(
      "What chooses the best checkpoint, a name of docs/figures.md such as mrr@4; near_recall counts a passage that holds the gold one's words as found",
    ),
  eval_passages: count(1)
    .optional()
    .describe(
      "Evaluate on the eval questions' gold passages and hard negatives and so many random passages, not on the whole database; the figures are named eval_of_<passages>_retr/…; test_file is always measured on the whole",
    ),
  ...resultSettings,
});

export type TrainRetrieverSettings = z.infer<typeof trainRetrieverSettings>;
