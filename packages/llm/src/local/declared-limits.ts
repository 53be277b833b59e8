import { join } from "node:path";
import { readJsonIfThere } from "@rag-ft/core";
import { readConfig } from "@rag-ft/models";
import { z } from "zod";

const id = z.number().int().nonnegative();
const ends = z
  .union([id.transform((one) => [one]), z.array(id)])
  .nullish()
  .catch(undefined);
const generationSchema = z.looseObject({ eos_token_id: ends });
const configSchema = z.looseObject({
  eos_token_id: ends,
  max_position_embeddings: z.number().int().positive().optional().catch(undefined),
  vocab_size: z.number().int().positive().optional().catch(undefined),
});

/** What a model's folder says about its texts. */
export interface DeclaredLimits {
  /** Ids that end a text. */
  ends: number[];
  /** Most tokens of prompt and answer. */
  context: number | undefined;
  /** Ids that there are. */
  vocabulary: number | undefined;
}

/** Of `generation_config.json`, or of `config.json` where that does not say. */
export async function declaredLimits(folder: string): Promise<DeclaredLimits> {
  const config = configSchema.parse(await readConfig(folder));
  const problem = "not a JSON object. Remove it, or fetch the model anew.";
  const generation = await readJsonIfThere(join(folder, "generation_config.json"), generationSchema, problem);
  return {
    ends: generation?.eos_token_id ?? config.eos_token_id ?? [],
    context: config.max_position_embeddings,
    vocabulary: config.vocab_size,
  };
}
