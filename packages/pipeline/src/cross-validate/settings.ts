import { count, flag, listOf, number } from "@rag-ft/core";
import { NO_STEPS } from "@rag-ft/train";
import { trainRetrieverSettings } from "@rag-ft/train-retriever";
import { z } from "zod";

/** What train-retriever is told by each fold itself. */
const PER_FOLD = {
  train_file: true,
  eval_file: true,
  test_file: true,
  do_train: true,
  index_path: true,
  resume_from_checkpoint: true,
  // Folds are trained in this process.
  engine: true,
  engine_dir: true,
  engine_python: true,
  nproc_per_node: true,
  nnodes: true,
  master_port: true,
  accelerators: true,
} as const;

/** Settings of `cross-validate`: those of `train-retriever`, of which some may be lists. */
export const crossValidateSettings = trainRetrieverSettings.omit(PER_FOLD).extend({
  question_files: listOf(z.string().min(1), 1).describe(
    "Questions (*_w_q.jsonl), several files between commas: all are dealt to the folds",
  ),
  do_eval: trainRetrieverSettings.shape.do_eval.describe(
    "Evaluate, and choose by it what each training leaves; false: its last step",
  ),
  folds: count(3)
    .default(5)
    .describe("Parts, by source: each is measured on once, chooses the checkpoint once, and is trained on else"),
  output_dir: z.string().min(1).describe("Folder for the folds, their models and the figures"),
  learning_rate: listOf(
    number((n) => n.positive()),
    1,
  )
    .default([2e-5])
    .describe("Learning rates between commas: every combination of the lists is tried"),
  temperature: listOf(
    number((n) => n.positive()),
    1,
  )
    .optional()
    .describe("Temperatures between commas"),
  max_steps: listOf(
    number((n) =>
      n
        .int()
        .min(-1)
        .refine((steps) => steps !== 0, NO_STEPS),
    ),
    1,
  )
    .default([-1])
    .describe("Steps between commas; -1: as many as num_train_epochs takes"),
  dropout: listOf(
    number((n) => n.min(0).lt(1)),
    1,
  )
    .default([0])
    .describe("Shares of dropout between commas"),
  hard_neg_ratio: listOf(
    number((n) => n.min(0)),
    1,
  )
    .default([0.05])
    .describe("Hard negatives as a share of a batch's questions, between commas"),
  positives: listOf(trainRetrieverSettings.shape.positives.unwrap(), 1)
    .default(["one"])
    .describe("one, all, or both between commas"),
  learning_curve: listOf(number((n) => n.gt(0).lt(1)))
    .default([])
    .describe(
      "Shares of the training questions, such as 0.25,0.5: what would be chosen is trained on so many, too, and it is said whether more questions would help",
    ),
  time_budget: number((n) => n.positive())
    .optional()
    .describe(
      "Minutes for all trainings and tests: after each fold the variants that do worst on their eval questions are dropped until the others fit; default: no limit",
    ),
  foreign_question_files: listOf(z.string().min(1), 1)
    .optional()
    .describe("Questions of another field (*_w_q.jsonl): what the tuned models lose there"),
  foreign_dataset_file_path: z.string().min(1).optional().describe("Document database of foreign_question_files"),
  estimate_only: flag().default(false).describe("Say how long it would take, and stop"),
});

export type CrossValidateSettings = z.infer<typeof crossValidateSettings>;
