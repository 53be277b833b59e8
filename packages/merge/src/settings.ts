import { z } from "zod";

export const mergeSettings = z.object({
  shards: z.string().min(1).describe("Folder with the shards: <save_dir>/shards of the stage that made them"),
  save_name: z
    .string()
    .min(1)
    .optional()
    .describe("Name of one file, where the folder has shards of several: documents, train_w_q"),
  save_dir: z
    .string()
    .min(1)
    .optional()
    .describe("Folder to write to; the one that the shards' folder is in when left out"),
});

export type MergeSettings = z.infer<typeof mergeSettings>;
