import { join } from "node:path";
import { documentSchema, readJsonl } from "@rag-ft/core";
import { z } from "zod";
import type { PassageRow } from "./choose-passages.js";

/** Gold passages with hard negatives: what `init_eval_dset` leaves for the later modes. */
export const passageFile = (folder: string): string => join(folder, "gold_and_hard_negs.jsonl");

const passageRowSchema = z.object({
  gold_docs: z.array(documentSchema).length(1),
  hard_neg_docs: z.array(documentSchema),
  chat_history: z.array(z.never()),
});

export async function readPassageFile(folder: string): Promise<PassageRow[]> {
  return readJsonl(passageFile(folder), passageRowSchema, {
    what: "gold passages with hard negatives, as mode init_eval_dset writes them: run that first",
  });
}
