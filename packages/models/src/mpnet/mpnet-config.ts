import { z } from "zod";
import { robertaConfigSchema } from "../roberta/roberta-config.js";

/** MPNet's config is RoBERTa's, and the number of buckets that relative positions fall in. */
export const mpnetConfigSchema = robertaConfigSchema.safeExtend({
  relative_attention_num_buckets: z
    .literal(32, { error: ({ input }) => `${JSON.stringify(input)} buckets are not supported, expected 32` })
    .default(32),
});

export type MpnetConfig = z.infer<typeof mpnetConfigSchema>;
