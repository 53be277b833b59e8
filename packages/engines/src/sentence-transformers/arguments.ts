import { type EngineSettings, refuseSettings, type TrainingSettings } from "@rag-ft/train";
import type { JobPlan } from "../job/write-job.js";
import { rhythm, trainerArguments } from "../trl/sft-config.js";

/** Where a job has its base, as sentence-transformers loads it. */
export const ST_BASE = "base";

type Settings = TrainingSettings & EngineSettings & { do_eval: boolean; freeze_layers: number };

/** @throws UserError for settings of training that the job has no means for. */
export function checkStSettings(settings: Settings, more: Readonly<Record<string, boolean>>): void {
  refuseSettings("sentence-transformers", {
    lora_r: settings.lora_r > 0,
    freeze_layers: settings.freeze_layers > 0,
    early_stopping_patience: settings.early_stopping_patience !== undefined,
    ...more,
  });
}

/** SentenceTransformerTrainingArguments and its kin. `metric`: what chooses the checkpoint, in the evaluator's words. */
export function stArguments(settings: Settings, steps: number, metric: string): Record<string, unknown> {
  const { train_sampling_strategy: _, ...common } = trainerArguments(settings, steps);
  const chosen = settings.do_eval ? { metric_for_best_model: metric, greater_is_better: true } : {};
  return { ...common, ...rhythm(settings, steps), ...chosen };
}

/** What all jobs of sentence-transformers have in common. */
export function stJob(
  settings: Settings,
  program: string,
): Pick<JobPlan, "packages" | "further" | "launch" | "accelerators"> {
  const deepspeed = settings.deepspeed === undefined ? [] : (["deepspeed"] as const);
  return {
    packages: ["sentence-transformers", "transformers", "accelerate", "datasets", ...deepspeed],
    further: ["torch", ...(settings.use_flash_attention ? (["kernels"] as const) : [])],
    launch: {
      program: [program],
      withoutGpu: ["--use_cpu", ...(settings.use_flash_attention ? ["--attn_implementation", "sdpa"] : [])],
      nproc_per_node: settings.nproc_per_node,
      nnodes: settings.nnodes,
      master_port: settings.master_port ?? 29_500,
      env: settings.run_group === undefined ? {} : { WANDB_RUN_GROUP: settings.run_group },
    },
    accelerators: settings.accelerators ?? `H100:${settings.nproc_per_node}`,
  };
}
