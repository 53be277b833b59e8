import { betweenCommas, count, number, UserError } from "@rag-ft/core";
import { z } from "zod";

/** Every linear layer of the blocks, as PEFT names that choice. */
export const ALL_LINEAR = "all-linear";

function splitNames(value: unknown): unknown {
  return typeof value === "string" ? betweenCommas(value) : value;
}

/** Settings of low-rank adapters (Hu et al. 2021), named as PEFT's LoraConfig names them. */
export const loraFields = {
  lora_r: count(0)
    .default(0)
    .describe(
      "Rank of LoRA adapters: they alone are trained, and merged into the model saved; 0: all weights are trained",
    ),
  lora_alpha: number((n) => n.positive())
    .optional()
    .describe("Adapters count alpha / r; default: twice lora_r"),
  lora_dropout: number()
    .refine((value) => value === 0, { error: "only 0 is supported: adapters are trained without dropout" })
    .default(0)
    .describe("Accepted as 0: adapters are trained without dropout"),
  lora_target_modules: z
    .preprocess(splitNames, z.array(z.string().min(1)).min(1))
    .optional()
    .describe(
      `Linear layers with adapters, by the end of their names, such as q_proj,v_proj or query,value; default: ${ALL_LINEAR}, each one of the blocks`,
    ),
};

const fieldsSchema = z.object(loraFields);

/** What adapters a run trains. */
export interface LoraSettings {
  /** Rank: columns of A's transpose and of B. */
  r: number;
  /** The adapter's product counts alpha / r. */
  alpha: number;
  /** Ends of module names, or only `all-linear`. */
  targets: readonly string[];
  /** Of the first values of A. */
  seed: number;
}

/**
 * The adapters that settings ask for; undefined when all weights are trained.
 *
 * @throws UserError for a setting that has no meaning without a rank.
 */
export function loraSettings(settings: z.infer<typeof fieldsSchema> & { seed: number }): LoraSettings | undefined {
  const { lora_r: r, lora_alpha: alpha, lora_target_modules: targets, seed } = settings;
  if (r > 0) return { r, alpha: alpha ?? 2 * r, targets: targets ?? [ALL_LINEAR], seed };
  const given = Object.entries({ lora_alpha: alpha, lora_target_modules: targets }).find(
    ([, value]) => value !== undefined,
  );
  if (given) {
    throw new UserError(
      `${given[0]} is given, but lora_r is 0: no adapters are trained. Give lora_r, such as 8, or leave ${given[0]} out.`,
    );
  }
  return undefined;
}
