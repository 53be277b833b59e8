import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Document } from "@langchain/core/documents";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnablePassthrough, RunnableSequence } from "@langchain/core/runnables";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { openSearch, type RagSearch } from "@rag-ft/answer";
import { documentId, type Document as Passage, writeJsonl } from "@rag-ft/core";
import { isDocumented, TINY_ENCODER, TINY_PASSAGES, whereExamplesRun } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RagFtEmbeddings } from "./rag-ft-embeddings.js";
import { RagFtRetriever } from "./rag-ft-retriever.js";

let folder = "";
let system: RagSearch;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-langchain-"));
  const document_path = join(folder, "documents.jsonl");
  await writeJsonl(document_path, TINY_PASSAGES);
  system = await openSearch({ document_path, embedding_model_name_or_path: TINY_ENCODER });
});
afterEach(async () => {
  await system.close();
  await rm(folder, { recursive: true, force: true });
});

const PROXY = "Set HTTPS_PROXY to the address of the proxy?";

it("retrieves what the system finds, as documents with ids and scores", async () => {
  const found = await new RagFtRetriever({ system, limit: 2 }).invoke(PROXY);
  expect(found).toHaveLength(2);
  expect(found[0]).toMatchObject({
    id: documentId(TINY_PASSAGES[0] as Passage),
    pageContent: TINY_PASSAGES[0]?.page_content,
    metadata: { source: "network.md", link: "https://docs.test/network#proxy" },
  });
  const scores = found.map(({ metadata }) => metadata.score);
  expect(scores).toEqual((await system.search(PROXY, { limit: 2 })).map(({ score }) => score));
  const filtered = new RagFtRetriever({ system, filter: { source: ["logs.md", "cache.md"] } });
  const sources = (await filtered.invoke(PROXY)).map(({ metadata }) => metadata.source as string);
  expect(sources.sort()).toEqual(["cache.md", "logs.md"]);
});

it("is a part of a chain that streams, and tells callbacks what it found", async () => {
  const told: Document[][] = [];
  const retriever = new RagFtRetriever({
    system,
    limit: 1,
    callbacks: [{ handleRetrieverEnd: (documents: Document[]) => void told.push(documents) }],
  });
  const prompts: string[] = [];
  const chain = RunnableSequence.from([
    {
      context: retriever.pipe((documents: Document[]) => documents.map(({ pageContent }) => pageContent).join("\n")),
      question: new RunnablePassthrough(),
    },
    ChatPromptTemplate.fromTemplate("{context}\n\n{question}"),
    RunnableLambda.from((prompt: { toString(): string }) => {
      prompts.push(prompt.toString());
      return prompt as never;
    }),
    new FakeListChatModel({ responses: ["Set it."] }),
    new StringOutputParser(),
  ]);
  const pieces: string[] = [];
  for await (const piece of await chain.stream(PROXY)) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(1);
  expect(prompts[0]).toContain("NO_PROXY");
  expect(told.map((documents) => documents.map(({ metadata }) => metadata.source))).toEqual([["network.md"]]);
});

it("embeds questions and passages, each with the prefix of its kind", async () => {
  const embeddings = new RagFtEmbeddings({ system });
  expect(await embeddings.embedQuery(PROXY)).toEqual([...((await system.embed([PROXY]))[0] as Float32Array)]);
  const texts = TINY_PASSAGES.map(({ fmt_content }) => fmt_content);
  expect(await embeddings.embedDocuments(texts)).toEqual(
    (await system.embed(texts, "passage")).map((vector) => [...vector]),
  );
  expect(await embeddings.embedDocuments([])).toEqual([]);
});

it("says that a system of words alone has no vectors", async () => {
  const words = await openSearch({
    document_path: join(folder, "documents.jsonl"),
    embedding_model_name_or_path: "none",
    retrieval: "bm25",
  });
  await expect(new RagFtEmbeddings({ system: words }).embedQuery("x")).rejects.toThrow(/searches by words/);
});

it("does what the guide shows", async () => {
  const example = new URL("../examples/retrieve.js", import.meta.url);
  expect(await isDocumented(example)).toBe(true);
  const output = await whereExamplesRun(() => import(example.href));
  expect(output).toMatch(/^0\.\d+ network\.md Set HTTPS_PROXY/);
  expect(output).toMatch(/^\d+ 2$/m);
});
