import { count, flag } from "@rag-ft/core";
import { z } from "zod";

/** Settings of `review`. */
export const reviewSettings = z.object({
  predictions: z.string().min(1).describe("test-predictions.jsonl, or the folder that test-e2e wrote it to"),
  labels_file: z
    .string()
    .min(1)
    .optional()
    .describe("where labels go, a line each as it is given; labels.jsonl beside the predictions when left out"),
  labeller: z.string().min(1).optional().describe("who labels, noted in each line; the user's name when left out"),
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
