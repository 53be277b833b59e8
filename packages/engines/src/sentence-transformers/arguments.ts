import { type EngineSettings, refuseSettings, type TrainingSettings } from "@rag-ft/train";
import { type Launched, launched } from "../job/launched.js";
import { type JobContent, programOf } from "../job/write-job.js";
import { rhythm, TRL_FILES, trainerArguments } from "../trl/sft-config.js";

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
export function stJob(settings: Settings, program: string): Launched {
  return launched(settings, "sentence-transformers", { program: [program], onCpu: ["--use_cpu"] });
}

/** Files that all its jobs have. `job`: what the program reads of settings; `rows`: those of the training, in order. */
export async function stFiles(
  program: string,
  job: object,
  rows: Iterable<object>,
  deepspeed: string | undefined,
): Promise<Map<string, JobContent>> {
  return new Map<string, JobContent>([
    ["train.json", { text: `${JSON.stringify(job, null, 2)}\n` }],
    [program, await programOf(program)],
    ["data/train.jsonl", { rows }],
    ...(deepspeed === undefined ? [] : [[TRL_FILES.deepspeed, { text: deepspeed }] as const]),
  ]);
}
