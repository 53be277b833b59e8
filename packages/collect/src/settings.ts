import { count, number } from "@rag-ft/core";
import { z } from "zod";

const path = (): z.ZodString => z.string().min(1);

/** Settings of `collect`. */
export const collectSettings = z.object({
  turns: path().describe("turns.jsonl of rag-ft serve, or the folder that holds it"),
  labels_file: path()
    .optional()
    .describe(
      "labels of these turns by rag-ft review, which go before votes; labels.jsonl beside the turns when left out",
    ),
  save_dir: path().describe("folder for {train,eval}_w_q.jsonl and {train,eval}_w_qa.jsonl"),
  dataset: path()
    .optional()
    .describe(
      "folder of a data set (*_w_q.jsonl, *_w_qa.jsonl) whose rows go before the new ones; its test set is copied, and nothing of it is collected",
    ),
  document_path: path()
    .optional()
    .describe("document database of the next training: turns about passages that are not in it are left out"),
  eval_share: number((n) => n.min(0).max(1))
    .default(0.2)
    .describe(
      "share of the new passages whose questions go to eval; chosen by the passage, so that a later run chooses the same",
    ),
  min_support: number((n) => n.min(0).max(1))
    .default(0.6)
    .describe("share of an answer's words that a passage must have to be its gold passage"),
  max_hard_negatives: count(0)
    .default(2)
    .describe(
      "passages that were found for a question and have less than half of the gold one's words of the answer: its hard negatives",
    ),
});

export type CollectSettings = z.infer<typeof collectSettings>;
