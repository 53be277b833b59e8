import { z } from "zod";

const path = (): z.ZodString => z.string().min(1);

/** Settings of `beir`. */
export const beirSettings = z.object({
  action: z.enum(["in", "out"]).describe("in: a BEIR folder becomes a database and questions; out: the reverse"),
  folder: path().describe("the BEIR folder: corpus.jsonl, queries.jsonl and qrels/*.tsv"),
  save_dir: path()
    .optional()
    .describe("in: where documents.jsonl and a *_w_q.jsonl of each file of qrels go (train, dev as eval, test)"),
  document_path: path()
    .optional()
    .describe("out: document database: documents.jsonl, .parquet or the reference's .pkl"),
  eval_data_path: path()
    .optional()
    .describe("out: questions with their gold passages (*_w_q.jsonl), as qrels/test.tsv"),
});

export type BeirSettings = z.infer<typeof beirSettings>;
