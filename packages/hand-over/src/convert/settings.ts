import { z } from "zod";

/** Settings of `convert`. */
export const convertSettings = z.object({
  from: z
    .string()
    .min(1)
    .describe(
      "a database of passages, or a file of questions or answers: .jsonl, .parquet, a folder of such files, or a database in .pkl",
    ),
  to: z
    .string()
    .regex(/\.(jsonl|parquet)$/i, { error: "must end in .jsonl or .parquet" })
    .describe("the file to write, as its extension says"),
});

export type ConvertSettings = z.infer<typeof convertSettings>;
