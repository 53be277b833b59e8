import { count, device, flag, shardSetting } from "@rag-ft/core";
import { requestSettings } from "@rag-ft/llm";
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
    .describe(
      "Files of the formats that are read, folders, globs, or the address of a sitemap or a page; several separated by commas or as a YAML list",
    ),
  tokenizer: z
    .string()
    .min(1)
    .default("intfloat/e5-base-v2")
    .describe("Folder or hub id of the model whose tokenizer measures passages; take the retriever's base model"),
  chunk_size: count(LEAST_CHUNK_SIZE).default(400).describe("Most tokens of a passage, without special tokens"),
  chunk_overlap_size: count().default(50).describe("Most tokens that a passage repeats of the one before it"),
  chunk_characters: count()
    .default(0)
    .describe(
      "Most characters of a passage, since a tokenizer counts a word it does not know as one; 0: eight for each token of chunk_size",
    ),
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
  source_url: z
    .string()
    .default("")
    .refine((url) => url === "" || (/^https?:\/\//.test(url) && /\{(?:path|page)\}/.test(url)), {
      error: "must be an address with {path} or {page} in it, such as https://example.org/docs/{path}",
    })
    .describe(
      "Address of each page, so that passages link to it: {path} is the file's path, {page} the path without extension and index",
    ),
  robots: flag().default(true).describe("Of a site's pages, read only those that its robots.txt lets programs read"),
  explain: z
    .string()
    .default("")
    .describe("A page by its path or source: shows what of it is left out, and writes nothing"),
  contextual: flag()
    .default(false)
    .describe(
      "Have prompt_model write a sentence of context for each passage of a page of several, which stands before its text in what is searched and in prompts (fmt_content)",
    ),
  prompt_model: z
    .string()
    .min(1)
    .optional()
    .describe("contextual: who writes, an OpenAI model name or local:<folder or hub id>"),
  contextual_tokens: count(256).default(3000).describe("contextual: most tokens of the page that the model is shown"),
  seed: count().default(0).describe("contextual: seed given to the model"),
  device: device(),
  shard: shardSetting(
    "each worker of n reads its share of the files and writes <save_dir>/shards, which rag-ft merge puts together",
  ),
  ...requestSettings({ timeout: 60 }),
  save_dir: z.string().min(1).describe("Folder to write to"),
  save_name: z
    .string()
    .min(1)
    .default("documents")
    .describe(
      "Name of the database: <save_dir>/<save_name>.jsonl (an extension .pkl or .jsonl is dropped), or documents.parquet to write Parquet",
    ),
});

export type PrepareDocsSettings = z.infer<typeof prepareDocsSettings>;
