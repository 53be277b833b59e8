import { decidingSettings, type EngineSettings, type RunIdentity, type TrainingSettings } from "@rag-ft/train";

/** What decides the result of a job, and nothing of a training in this process. */
const OF_A_JOB = [
  "engine",
  "nproc_per_node",
  "nnodes",
  "bf16",
  "fp16",
  "use_flash_attention",
  "gradient_checkpointing",
  "deepspeed",
] as const;

/** Identity of a job: as of a training here, with the settings that another engine obeys, and DeepSpeed's file by its content. */
export function elsewhereIdentity(
  settings: TrainingSettings & EngineSettings,
  withoutInputs: readonly string[],
  deepspeed: string | undefined,
  inputs: RunIdentity["inputs"],
): RunIdentity {
  const own = Object.fromEntries(OF_A_JOB.map((name) => [name, settings[name]]));
  return {
    settings: {
      ...decidingSettings(settings, withoutInputs),
      ...own,
      ...(deepspeed === undefined ? {} : { deepspeed }),
    },
    inputs,
  };
}
