import { betweenCommas, count, number } from "@rag-ft/core";
import { CONTAINED_ABOVE, PARAPHRASE_OVERLAP } from "@rag-ft/text";
import { z } from "zod";
import { LEAKS } from "./audit.js";

const share = (): ReturnType<typeof number> => number((schema) => schema.positive().max(1));

export const auditSplitsSettings = z.object({
  dataset: z.string().min(1).describe("Folder with {train,eval,test}_w_qa.jsonl or {train,eval,test}_w_q.jsonl"),
  fail_on: z
    .preprocess(betweenCommas, z.array(z.enum(LEAKS)))
    .default([...LEAKS])
    .describe(`Leaks that end the command with exit code 4; all are counted. Some of ${LEAKS.join(",")}`),
  passage_overlap: share()
    .default(CONTAINED_ABOVE)
    .describe("Passages are near-duplicates when one has more than this share of the other's runs of three words"),
  question_overlap: share()
    .default(PARAPHRASE_OVERLAP)
    .describe("Questions are paraphrases when they share more than this of their content words (Jaccard)"),
  chunk_words: count(1)
    .default(8)
    .describe("Chunks of a source overlap when one ends with at least so many words that the other begins with"),
  examples: count(0).default(1).describe("Examples shown of each kind of leak"),
  out: z.string().min(1).optional().describe("JSON lines file for all leaks"),
});

export type AuditSplitsSettings = z.infer<typeof auditSplitsSettings>;
