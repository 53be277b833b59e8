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
} as const;

/** Settings of `cross-validate`: those of `train-retriever`, of which three may be lists. */
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
  estimate_only: flag().default(false).describe("Say how long it would take, and stop"),
});

export type CrossValidateSettings = z.infer<typeof crossValidateSettings>;

/** One combination of the settings that are lists. */
export interface Variant {
  /** For tables: what tells it from the others; `tuned` when there is one alone. */
  name: string;
  /** For folders. */
  folder: string;
  settings: { learning_rate: number; temperature?: number; max_steps: number };
}

/** Every combination, in the order of the lists. */
export function variantsOf({ learning_rate, temperature, max_steps }: CrossValidateSettings): Variant[] {
  const lists = { learning_rate, temperature: temperature ?? [undefined], max_steps };
  const varied = (Object.keys(lists) as (keyof typeof lists)[]).filter((key) => lists[key].length > 1);
  return lists.learning_rate.flatMap((rate) =>
    lists.temperature.flatMap((degree) =>
      lists.max_steps.map((steps): Variant => {
        const settings = {
          learning_rate: rate,
          ...(degree === undefined ? {} : { temperature: degree }),
          max_steps: steps,
        };
        const parts = varied.map((key) => [key, String(settings[key])]);
        return {
          name: parts.length > 0 ? parts.map((part) => part.join(" ")).join(", ") : "tuned",
          folder: parts.length > 0 ? parts.map((part) => part.join("-")).join("_") : "tuned",
          settings,
        };
      }),
    ),
  );
}
