import type { EngineSettings, TrainingSettings } from "@rag-ft/train";
import type { PinnedPackage } from "../versions.js";
import type { JobPlan } from "./write-job.js";

/** Of a job's plan: what is installed for it, and how and on what it is started. */
export type Launched = Pick<JobPlan, "packages" | "further" | "launch" | "accelerators">;

/**
 * What settings say of it, whichever engine trains.
 *
 * @param trainer The engine's package.
 * @param how The program with its arguments, what tells it that there is no GPU, and packages that this training wants besides.
 */
export function launched(
  settings: TrainingSettings & EngineSettings,
  trainer: PinnedPackage,
  { program, onCpu, more = [] }: { program: string[]; onCpu: string[]; more?: readonly PinnedPackage[] },
): Launched {
  const deepspeed = settings.deepspeed === undefined ? [] : (["deepspeed"] as const);
  return {
    packages: [trainer, "transformers", "accelerate", "datasets", ...more, ...deepspeed],
    further: ["torch", ...(settings.use_flash_attention ? (["kernels"] as const) : [])],
    launch: {
      program,
      withoutGpu: [...onCpu, ...(settings.use_flash_attention ? ["--attn_implementation", "sdpa"] : [])],
      nproc_per_node: settings.nproc_per_node,
      nnodes: settings.nnodes,
      master_port: settings.master_port ?? 29_500,
      env: settings.run_group === undefined ? {} : { WANDB_RUN_GROUP: settings.run_group },
    },
    accelerators: settings.accelerators ?? `H100:${settings.nproc_per_node}`,
  };
}
