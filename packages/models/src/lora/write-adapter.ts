import { join } from "node:path";
import { writeJsonAtomic } from "@rag-ft/core";
import { writeSafetensors } from "../weights/write-safetensors.js";
import type { LoraAdapters } from "./lora-adapters.js";

/** Folder within a checkpoint; the checkpoint itself holds the merged model. */
export const ADAPTER_FOLDER = "adapter";

/** What PEFT wraps the base in. */
export type AdapterTask = "CAUSAL_LM" | "FEATURE_EXTRACTION";

/**
 * Writes `adapter/` of a checkpoint: what Python's `PeftModel.from_pretrained(base, folder)` loads.
 *
 * @param base Folder or hub id of the model that the adapters are for, as the user named it.
 */
export async function writeAdapter(
  checkpoint: string,
  adapters: LoraAdapters,
  { base, task }: { base: string; task: AdapterTask },
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
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  });
  await writeSafetensors(join(folder, "adapter_model.safetensors"), adapters.weights);
}
