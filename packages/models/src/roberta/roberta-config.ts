import { z } from "zod";
import { bertConfigSchema } from "../bert/bert-config.js";

/** RoBERTa's config is BERT's, and the id of the padding token, which says where its positions start. */
export const robertaConfigSchema = bertConfigSchema
  .safeExtend({ pad_token_id: z.number().int().nonnegative().default(1) })
  .refine((config) => config.max_position_embeddings > config.pad_token_id + 1, {
    message: "must be greater than pad_token_id + 1: positions start there",
    path: ["max_position_embeddings"],
  });
