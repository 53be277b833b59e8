import { count, device, flag, number, precision } from "@rag-ft/core";
import { z } from "zod";
import { type EngineSettings, engineSettingsWithoutEffect } from "./engine-settings.js";
import { loraFields } from "./lora/lora-settings.js";
import { SCHEDULES } from "./optimizer/schedule.js";
import { trackersOf } from "./tracker/tracker.js";

/** Why a training of 0 steps is refused: trainers differ in whether that is none or whole epochs. */
export const NO_STEPS = "0 steps train nothing; give --do_train false to only evaluate, -1 for num_train_epochs";

/** Settings that every training stage has, named as Hugging Face's TrainingArguments name them. */
export const trainingSettings = {
  output_dir: z.string().min(1).describe("Folder for checkpoints, logs and figures"),
  learning_rate: number((n) => n.positive())
    .default(2e-5)
    .describe("Learning rate at the end of the warm-up"),
  per_device_train_batch_size: count(1).default(32).describe("Examples a step (times gradient_accumulation_steps)"),
  per_device_eval_batch_size: count(1)
    .default(32)
    .describe("Of another engine; on engine local batches of evaluation are cut by tokens"),
  gradient_accumulation_steps: count(1).default(1).describe("Batches whose gradients make one step"),
  num_train_epochs: number((n) => n.positive())
    .default(1)
    .describe("Passes over the training data, unless max_steps is given"),
  max_steps: number((n) =>
    n
      .int()
      .min(-1)
      .refine((steps) => steps !== 0, NO_STEPS),
  )
    .default(-1)
    .describe("Steps in all; -1: as many as num_train_epochs takes"),
  eval_steps: count(0)
    .default(0)
    .describe("Steps between evaluations; 0: only before the first and after the last step"),
  early_stopping_patience: count(1)
    .optional()
    .describe(
      "Training ends when so many evaluations in a row were no better than the best one after training began; default: never",
    ),
  save_steps: count(0)
    .default(0)
    .describe("Steps between checkpoints to go on from; 0: at each evaluation, and when 10 minutes have passed"),
  logging_steps: count(1).default(1).describe("Steps between lines of train.jsonl"),
  lr_scheduler_type: z.enum(SCHEDULES).default("cosine").describe("How the learning rate falls after the warm-up"),
  warmup_ratio: number((n) => n.min(0).max(1))
    .default(0.1)
    .describe("Share of the steps in which the learning rate rises from 0"),
  weight_decay: number((n) => n.min(0))
    .default(0.01)
    .describe("AdamW's weight decay; biases and norms have none"),
  max_grad_norm: number((n) => n.min(0))
    .default(1)
    .describe("Gradients are scaled down to this L2 norm; 0: never"),
  freeze_layers: count(0)
    .default(0)
    .describe(
      "Embeddings and so many of the first layers are held fixed; what they compute of each text is kept, so that later epochs cost the layers above alone; 0: none",
    ),
  frozen_memory: count(0)
    .default(1024)
    .describe(
      "freeze_layers: MB of memory for what the frozen layers compute; what finds no room is in frozen_states of output_dir until training is done",
    ),
  ...loraFields,
  seed: number((n) => n.int())
    .default(42)
    .describe("Seed of shuffling, sampling and the adapters' first values"),
  threads: z
    .preprocess(
      (value) => (value === "auto" ? -1 : value),
      number((n) => n.int().min(-1)),
    )
    .default(0)
    .describe(
      "Threads of ONNX Runtime; 0: one for each core; auto: the same, and threads that wait sleep where other processes are busy",
    ),
  device: device(),
  precision: precision(),
  bf16: flag().default(false).describe("Train in mixed precision on another engine; on engine local see precision"),
  fp16: flag().default(false).describe("Train in mixed precision on another engine; on engine local see precision"),
  use_flash_attention: flag().default(false).describe("FlashAttention 2 on another engine; none on engine local"),
  gradient_checkpointing: flag()
    .default(false)
    .describe("Another engine computes activations twice instead of keeping them; no meaning on engine local"),
  deepspeed: z
    .string()
    .min(1)
    .optional()
    .describe(
      "DeepSpeed on another engine: its JSON file, or zero1, zero2, zero3 for one that is written; no meaning on engine local",
    ),
  run_group: z.string().optional().describe("Group of runs of a tracker of another engine; no meaning on engine local"),
  report_to: z
    .string()
    .default("none")
    .describe("Tracker that figures go to besides the logs: tensorboard (event files in output_dir/runs) or none"),
  save_onnx: flag()
    .default(true)
    .describe(
      "Write onnx/model.onnx beside the weights, for transformers.js: as large again; without it a local generator's is made in the cache when it answers",
    ),
  save_total_limit: count(1)
    .default(1)
    .describe(
      "How many of the newest checkpoints an unfinished run keeps besides the best; a finished run keeps the best",
    ),
  resume_from_checkpoint: z
    .preprocess((value) => (typeof value === "boolean" ? String(value) : value), z.string().min(1))
    .optional()
    .describe(
      "Checkpoint folder to go on from; true or latest: the newest of output_dir; false: start anew; default: the newest of output_dir, if it is of a run with the same settings and inputs",
    ),
};

const settingsSchema = z.object(trainingSettings);
export type TrainingSettings = z.infer<typeof settingsSchema>;

/** They decide something on another engine alone. */
export const IGNORED_SETTINGS = [
  "bf16",
  "fp16",
  "use_flash_attention",
  "gradient_checkpointing",
  "deepspeed",
  "run_group",
] as const;

/** One line naming the given settings that have no effect here; undefined when there are none. */
export function ignoredSettings(settings: TrainingSettings & Partial<EngineSettings>): string | undefined {
  const given = IGNORED_SETTINGS.filter((key) => settings[key] !== undefined && settings[key] !== false);
  const trackers = trackersOf(settings.report_to).unknown.map((name) => `report_to ${name} (there is tensorboard)`);
  const names = [...given, ...engineSettingsWithoutEffect(settings), ...trackers];
  return names.length > 0 ? `no effect on this engine (fp32 on ONNX Runtime): ${names.join(", ")}` : undefined;
}
