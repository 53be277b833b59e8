import { readFile } from "node:fs/promises";
import { pathKind, UserError } from "@rag-ft/core";

/** DeepSpeed's ZeRO in stages 1 to 3; what is `auto`, Hugging Face's Trainer fills in. */
function zero(stage: number): object {
  return {
    bf16: { enabled: "auto" },
    fp16: { enabled: "auto" },
    zero_optimization: { stage, ...(stage === 3 ? { stage3_gather_16bit_weights_on_model_save: true } : {}) },
    gradient_accumulation_steps: "auto",
    gradient_clipping: "auto",
    train_batch_size: "auto",
    train_micro_batch_size_per_gpu: "auto",
  };
}

/**
 * The configuration that `deepspeed` asks for, as JSON text: the file's, or one of `zero1` to `zero3`; undefined where it asks for none.
 *
 * @throws UserError when there is no such file, or it is not JSON.
 */
export async function deepspeedConfig(setting: string | undefined): Promise<string | undefined> {
  if (setting === undefined) return undefined;
  const stage = /^zero([123])$/i.exec(setting)?.[1];
  if (stage !== undefined) return `${JSON.stringify(zero(Number(stage)), null, 2)}\n`;
  if ((await pathKind(setting)) !== "file")
    throw new UserError(
      `deepspeed: ${setting} is no file. Give DeepSpeed's JSON configuration, or zero1, zero2 or zero3 for one that is written.`,
    );
  const text = await readFile(setting, "utf8");
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new UserError(`deepspeed: ${setting} is not valid JSON (${(cause as Error).message}).`, { cause });
  }
  return text;
}
