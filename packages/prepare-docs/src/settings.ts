import { count, flag } from "@rag-ft/core";
import { z } from "zod";

/** Splits at commas, but not at those within the braces of a glob. */
export function splitList(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value
    .split(/,(?![^{}]*\})/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

const list = (): z.ZodType<string[]> => z.preprocess(splitList, z.array(z.string().min(1)));

/** Smallest passage that can hold a sentence. */
const LEAST_CHUNK_SIZE = 16;

export const prepareDocsSettings = z.object({
  document_path: list()
    .refine((entries) => entries.length > 0, { error: "is empty; expected a file, a folder or a glob" })
    .describe("JSONL, Markdown, HTML or text files, folders or globs; several separated by commas or as a YAML list"),
  tokenizer: z
    .string()
    .min(1)
    .default("intfloat/e5-base-v2")
    .describe("Folder or hub id of the model whose tokenizer measures passages; take the retriever's base model"),
  chunk_size: count(LEAST_CHUNK_SIZE).default(400).describe("Most tokens of a passage, without special tokens"),
  chunk_overlap_size: count().default(50).describe("Most tokens that a passage repeats of the one before it"),
  min_words: count().default(0).describe("Drop passages of fewer words"),
  dedupe: flag()
    .default(false)
    .describe(
      "Leave out passages of whose text another passage holds more than 80 %, and list them in <save_name>.dropped.jsonl",
    ),
  include: list().default([]).describe("Globs: read only these files of folders and globs"),
  exclude: list()
    .default([])
    .describe("Globs: leave these files of folders and globs out, such as CHANGELOG*,LICENSE*"),
  save_dir: z.string().min(1).describe("Folder to write to"),
  save_name: z
    .string()
    .min(1)
    .default("documents")
    .describe("Name of the database: <save_dir>/<save_name>.jsonl (an extension .pkl or .jsonl is dropped)"),
});

export type PrepareDocsSettings = z.infer<typeof prepareDocsSettings>;
