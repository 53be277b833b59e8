import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, recordName, writeJsonl } from "@rag-ft/core";

const model = (name: string): string => fileURLToPath(new URL(`../../../data/models/${name}`, import.meta.url));

/** A tiny encoder and decoder, trained on nothing that tests ask about. */
export const TINY_ENCODER = model("tiny-encoder");
export const TINY_DECODER = model("tiny-decoder");

/** Passages of a run made by `writeTinyRun`. */
export const TINY_PASSAGES = [
  createDocument("Set HTTPS_PROXY to the address of the proxy, and NO_PROXY to hosts that are asked directly.", {
    source: "network.md",
    title: "Network",
    link: "https://docs.test/network#proxy",
  }),
  createDocument("A cache of modules lies in the folder .cache; delete it to start anew.", { source: "cache.md" }),
  createDocument("Logs are written to standard error, a line of JSON each.", { source: "logs.md" }),
];

/** A folder as a finished run leaves it: its system answers with the tiny models, at most 8 tokens, from 2 passages. */
export async function writeTinyRun(folder: string): Promise<void> {
  const test = join(folder, "tuned");
  await mkdir(test, { recursive: true });
  await writeJsonl(join(folder, "documents.jsonl"), TINY_PASSAGES);
  const settings = {
    qa_model_name_or_path: TINY_DECODER,
    embedding_model_name_or_path: TINY_ENCODER,
    document_path: join(folder, "documents.jsonl"),
    retrieval: "dense",
    embedding_max_num_to_retrieve: 2,
    max_new_tokens: 8,
  };
  const record = { command: "test-e2e", settings, started_at: "2026-01-01T00:00:00.000Z" };
  await writeFile(join(test, recordName("test-e2e")), JSON.stringify(record));
}
