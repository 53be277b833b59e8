import { UserError } from "@rag-ft/core";
import type { EngineSettings, TrainingSettings } from "@rag-ft/train";
import { stringify } from "yaml";
import type { Job } from "../job/job-file.js";

/** Settings that TRL is told of; a stage's own besides. */
export type SftSettings = TrainingSettings &
  EngineSettings & { do_eval: boolean; max_seq_length: number; base_dtype: "fp32" | "fp16" | "bf16" };

/** Files of the job that its configuration names. */
export const TRL_FILES = {
  config: "sft.yaml",
  train: "data/train.jsonl",
  eval: "data/test.jsonl",
  deepspeed: "deepspeed.json",
};

const SCHEDULES: Readonly<Record<TrainingSettings["lr_scheduler_type"], string>> = {
  cosine: "cosine",
  linear: "linear",
  constant: "constant_with_warmup",
};

/** Steps between evaluations and between checkpoints: the best checkpoint can only be one that was evaluated. */
export function rhythm(
  { do_eval, eval_steps, save_steps }: Pick<SftSettings, "do_eval" | "eval_steps" | "save_steps">,
  steps: number,
): Record<string, unknown> {
  const between = eval_steps > 0 ? Math.min(eval_steps, steps) : steps;
  if (!do_eval) return { eval_strategy: "no", save_strategy: "steps", save_steps: save_steps || steps };
  return {
    ...{ eval_strategy: "steps", eval_steps: between, eval_on_start: true },
    // Of a checkpoint whose evaluation is still to come nothing is known.
    ...{ save_strategy: "steps", save_steps: Math.max(1, Math.ceil((save_steps || between) / between)) * between },
    load_best_model_at_end: true,
  };
}

/** What Hugging Face's Trainer is told by settings that carry its names, whichever engine it is in. */
export function trainerArguments(
  settings: SftSettings | (TrainingSettings & EngineSettings),
  steps: number,
): Record<string, unknown> {
  return {
    output_dir: "result",
    max_steps: steps,
    learning_rate: settings.learning_rate,
    lr_scheduler_type: SCHEDULES[settings.lr_scheduler_type],
    // Below 1 it is a share of the steps.
    warmup_steps: settings.warmup_ratio === 1 ? steps : settings.warmup_ratio,
    weight_decay: settings.weight_decay,
    max_grad_norm: settings.max_grad_norm,
    per_device_train_batch_size: settings.per_device_train_batch_size,
    per_device_eval_batch_size: settings.per_device_eval_batch_size,
    gradient_accumulation_steps: settings.gradient_accumulation_steps,
    gradient_checkpointing: settings.gradient_checkpointing,
    bf16: settings.bf16,
    fp16: settings.fp16,
    // The rows lie in the order in which they are trained on.
    train_sampling_strategy: "sequential",
    logging_strategy: "steps",
    logging_steps: settings.logging_steps,
    // With one, Hugging Face's Trainer removes the last checkpoint, and with it the log.
    save_total_limit: Math.max(2, settings.save_total_limit),
    save_only_model: false,
    seed: settings.seed,
    report_to: settings.report_to,
    ...(settings.deepspeed === undefined ? {} : { deepspeed: TRL_FILES.deepspeed }),
  };
}

function adapterArguments(settings: SftSettings): Record<string, unknown> {
  const { lora_r: r, lora_alpha = 2 * r, lora_dropout, lora_target_modules: targets } = settings;
  if (r === 0) return {};
  const modules = targets ?? ["all-linear"];
  return { use_peft: true, lora_r: r, lora_alpha, lora_dropout, lora_target_modules: modules };
}

/**
 * `sft.yaml` of `trl sft`: the settings in its words. The rows hold tokens and a mask of the answer's, so that TRL neither templates nor truncates.
 *
 * @throws UserError for settings that TRL has no means for.
 */
export function sftConfig(settings: SftSettings, base: Job["base"], steps: number): string {
  if (settings.bf16 && settings.fp16) throw new UserError("bf16 and fp16 are both true: give one of them.");
  const half = { fp32: "float32", fp16: "float16", bf16: "bfloat16" }[settings.base_dtype];
  return stringify({
    model_name_or_path: base.place,
    ...(base.commit === undefined ? {} : { model_revision: base.commit }),
    dtype: half,
    ...(settings.use_flash_attention ? { attn_implementation: "flash_attention_2" } : {}),
    // The folder's files are its splits, by their names.
    dataset_name: "data",
    completion_only_loss: true,
    max_length: settings.max_seq_length,
    packing: false,
    ...trainerArguments(settings, steps),
    ...rhythm(settings, steps),
    ...(settings.do_eval ? { metric_for_best_model: "eval_loss", greater_is_better: false } : {}),
    ...adapterArguments(settings),
  });
}
