import { z } from "zod";
import { MAX_LAYERS, MAX_POSITIONS, MAX_VOCABULARY, MAX_WIDTH } from "../graph/config.js";

const width = z.number().int().positive().max(MAX_WIDTH);

/** Sizes that every config of a transformer has. */
export const transformerFields = {
  vocab_size: z.number().int().positive().max(MAX_VOCABULARY),
  hidden_size: width,
  num_hidden_layers: z.number().int().positive().max(MAX_LAYERS),
  num_attention_heads: width,
  intermediate_size: width,
  max_position_embeddings: z.number().int().positive().max(MAX_POSITIONS),
};

/** Those of a transformer whose heads may share keys and values. */
export const groupedFields = { ...transformerFields, num_key_value_heads: width.nullish(), head_dim: width.nullish() };

/** Adds what is wrong with a config to those of its schema. */
export type Complain = (path: string, message: string) => void;

/** Complains if heads do not divide what they are to share. */
export function checkGroups(
  {
    num_attention_heads: heads,
    num_key_value_heads: groups,
  }: { num_attention_heads: number; num_key_value_heads?: number | null | undefined },
  complain: Complain,
): void {
  if (heads % (groups ?? heads) !== 0) complain("num_attention_heads", "must be a multiple of num_key_value_heads");
}

/** Complains if the heads do not divide the hidden states among them. */
export function checkHeads(
  { hidden_size: hidden, num_attention_heads: heads }: { hidden_size: number; num_attention_heads: number },
  complain: Complain,
): void {
  if (hidden % heads !== 0) complain("hidden_size", "must be a multiple of num_attention_heads");
}

/** Complaints of a schema's `superRefine`. */
export function complainTo(context: z.RefinementCtx): Complain {
  return (path, message) => context.addIssue({ code: "custom", message, path: [path] });
}
