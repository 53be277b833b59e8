import { count, flag, LABEL_KINDS, LABEL_TITLES, listOf } from "@rag-ft/core";
import { z } from "zod";

const titles = LABEL_KINDS.map((kind) => LABEL_TITLES[kind]);

/** Settings of `review`. */
export const reviewSettings = z.object({
  predictions: z
    .string()
    .min(1)
    .describe(
      "answers to label: test-predictions.jsonl of test-e2e, turns.jsonl of serve, or the folder that holds one of them",
    ),
  labels: listOf(z.enum(titles), 1)
    .default(titles)
    .describe("what is asked of each answer: correctness, helpfulness, harmlessness, or some of them"),
  labels_file: z
    .string()
    .min(1)
    .optional()
    .describe("where labels go, a line each as it is given; labels.jsonl beside the answers when left out"),
  labeller: z
    .string()
    .min(1)
    .optional()
    .describe("who labels, noted in each line; the page asks when left out, so that several reviewers can use it"),
  host: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  port: count(0)
    .refine((port) => port < 65536, "a port is at most 65535")
    .default(8642)
    .describe("port to listen on; 0: any that is free"),
  allow_remote: flag()
    .default(false)
    .describe("let host be an address that other machines reach: whoever does may read the passages and label"),
});

export type ReviewSettings = z.infer<typeof reviewSettings>;
