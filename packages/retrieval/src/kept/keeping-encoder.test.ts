import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, silentReporter } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { denseRetriever } from "../dense-retriever.js";
import { openIndex } from "../open-index.js";
import { openPassageEncoder } from "../open-passage-encoder.js";
import { checkIndexPath } from "./index-root.js";

const MODEL = "text-embedding-test";
const documents = ["red", "green", "blue"].map((colour) =>
  createDocument(`A cable that is ${colour}.`, { source: "cables.md" }),
);
let folder: string;
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keeping-encoder-"));
  server = await startOpenAiServer({
    reply: () => "",
    embed: ({ input }) => input.map((text) => [text.length, text.charCodeAt(0), 1]),
    models: [MODEL],
  });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Texts that are bought, without the one that is embedded at opening. */
const bought = (): string[] =>
  server.requests.flatMap(({ input }) => input ?? []).filter((text) => text !== "dimensions");

async function retrieved(questions: readonly string[], keepIn?: string): Promise<unknown> {
  const encoder = await openPassageEncoder(MODEL, {
    env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "test" },
    reporter: silentReporter,
    ...(keepIn === undefined ? {} : { keepIn }),
  });
  const options = { reporter: silentReporter, signal: new AbortController().signal };
  const index = await openIndex(documents, encoder, options);
  const found = await denseRetriever(index, encoder).retrieve(questions, 3, options);
  await encoder.close();
  return found;
}

test("each text is bought once: passages and questions, within a run and between runs", async () => {
  const root = join(folder, "vectors");
  const questions = ["What is red?", "Is it green?", "What is red?"];
  const first = await retrieved(questions, root);
  expect(bought()).toEqual([...documents.map(({ fmt_content }) => fmt_content), "What is red?", "Is it green?"]);
  const again = await retrieved([...questions, "And blue?"], root);
  expect((again as unknown[]).slice(0, 3)).toEqual(first);
  expect(bought().slice(5)).toEqual(["And blue?"]);
  // What is kept of questions does not make the folder something else than an index.
  await checkIndexPath(root);
  // The same as without: what is kept is what was bought.
  expect(await retrieved(questions)).toEqual(first);
});
