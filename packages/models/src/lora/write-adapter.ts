import { join } from "node:path";
import { DataError, writeJsonAtomic } from "@rag-ft/core";
import { readSafetensors } from "../weights/read-safetensors.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import type { LoraAdapters } from "./lora-adapters.js";

/** Folder within a checkpoint; the checkpoint itself holds the merged model. */
export const ADAPTER_FOLDER = "adapter";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";

const wholeName = (name: string): string => `base_model.model.${name}`;

/** What PEFT wraps the base in. */
export type AdapterTask = "CAUSAL_LM" | "FEATURE_EXTRACTION" | "SEQ_CLS";

/** Modules that stand whole beside the adapters, such as a reranker's head, which the base may lack. */
export interface WholeModules {
  /** PEFT's `modules_to_save`. */
  names: readonly string[];
  /** Their weights, by the model's names. */
  weights: ReadonlyMap<string, WeightTensor>;
}

/**
 * Writes `adapter/` of a checkpoint: what Python's `PeftModel.from_pretrained(base, folder)` loads.
 *
 * @param base Folder or hub id of the model that the adapters are for, as the user named it.
 */
export async function writeAdapter(
  checkpoint: string,
  adapters: LoraAdapters,
  { base, task, whole }: { base: string; task: AdapterTask; whole?: WholeModules },
): Promise<void> {
  const folder = join(checkpoint, ADAPTER_FOLDER);
  await writeJsonAtomic(join(folder, "adapter_config.json"), {
    peft_type: "LORA",
    task_type: task,
    base_model_name_or_path: base,
    inference_mode: true,
    r: adapters.settings.r,
    lora_alpha: adapters.settings.alpha,
    lora_dropout: 0,
    target_modules: adapters.targets,
    bias: "none",
    fan_in_fan_out: false,
    init_lora_weights: true,
    modules_to_save: whole ? [...whole.names] : null,
    use_dora: false,
    use_rslora: false,
  });
  const beside = [...(whole?.weights ?? [])].map(([name, weight]) => [wholeName(name), weight] as const);
  await writeSafetensors(join(folder, ADAPTER_WEIGHTS), [...adapters.weights, ...beside]);
}

/**
 * Puts the adapters of a checkpoint back into memory, and with them the merged model.
 *
 * @throws DataError when the file holds other weights than the adapters have.
 */
export async function restoreAdapter(checkpoint: string, adapters: LoraAdapters): Promise<void> {
  const path = join(checkpoint, ADAPTER_FOLDER, ADAPTER_WEIGHTS);
  const saved = await readSafetensors(path);
  const whole = [...adapters.whole].map(([name, weight]) => [wholeName(name), weight] as const);
  for (const [name, { data }] of [...adapters.weights, ...whole]) {
    const found = saved.get(name);
    if (found?.data.length !== data.length) throw new DataError(`${path}: the weight ${name} is missing.`);
    data.set(found.data);
  }
  adapters.memory.wrote([...adapters.trained.values()].map(({ data }) => data));
  await adapters.merge();
}
