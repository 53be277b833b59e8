import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRag, type RagSystem } from "@rag-ft/answer";
import { writeJsonl } from "@rag-ft/core";
import {
  isDocumented,
  type OpenAiServer,
  type OpenAiServerOptions,
  startOpenAiServer,
  TINY_ENCODER,
  TINY_PASSAGES,
  whereExamplesRun,
} from "@rag-ft/test-utils";
import { embed, embedMany, generateText, NoSuchModelError, Output, rerank, streamText, tool } from "ai";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { createRagFt, type RagFtProvider } from "./create-rag-ft.js";

// They are looked at in the results.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

let folder = "";
let rag: RagSystem | undefined;
let server: OpenAiServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-ai-sdk-"));
  await writeJsonl(join(folder, "documents.jsonl"), TINY_PASSAGES);
});
afterEach(async () => {
  await rag?.close();
  await server?.close();
  rag = server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A system with the tiny encoder and a model of the test server. */
async function open(reply: OpenAiServerOptions["reply"]): Promise<{ ragFt: RagFtProvider; server: OpenAiServer }> {
  server = await startOpenAiServer({ reply });
  rag = await openRag(
    {
      document_path: join(folder, "documents.jsonl"),
      embedding_model_name_or_path: TINY_ENCODER,
      qa_model_name_or_path: "a-model",
      embedding_max_num_to_retrieve: 2,
      follow_ups: "turns",
    },
    { env: { OPENAI_BASE_URL: server.url } },
  );
  return { ragFt: createRagFt(rag), server };
}

const PROXY = "Set HTTPS_PROXY to the address of the proxy?";

it("answers generateText from passages, which come as sources, with tokens and the reason why it ended", async () => {
  const { ragFt, server } = await open(({ messages }) => `About: ${messages.at(-1)?.content}`);
  const result = await generateText({
    model: ragFt("rag-ft"),
    temperature: 0.5,
    maxOutputTokens: 7,
    messages: [
      { role: "user", content: "Hello." },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "Hello to you." },
        ],
      },
      { role: "user", content: [{ type: "text", text: PROXY }] },
    ],
  });
  expect(result.text).toBe(`About: ${PROXY}`);
  expect(result.finishReason).toBe("stop");
  expect(result.usage.totalTokens).toBeGreaterThan(0);
  expect(result.sources).toMatchObject([
    {
      sourceType: "url",
      url: "https://docs.test/network#proxy",
      title: "Network",
      providerMetadata: { ragFt: { source: "network.md", text: TINY_PASSAGES[0]?.page_content } },
    },
    { sourceType: "document" },
  ]);
  expect(result.providerMetadata?.ragFt).toMatchObject({ query: `Hello.\n${PROXY}`, droppedPassages: 0 });
  const body = server.requests[0]?.body;
  expect(body?.messages[0]?.content).toContain("NO_PROXY");
  expect(body?.messages.slice(1).map(({ content }) => content)).toEqual(["Hello.", "Hello to you.", PROXY]);
  expect(body).toMatchObject({ temperature: 0.5 });
  expect(JSON.stringify(body)).toMatch(/"max(_completion)?_tokens":7/);
});

it("streams: sources first, then the text in pieces, then usage", async () => {
  const { ragFt } = await open(() => "one two three four");
  const result = streamText({ model: ragFt(), prompt: PROXY });
  const types: string[] = [];
  let text = "";
  for await (const part of result.fullStream) {
    types.push(part.type);
    if (part.type === "text-delta") text += part.text;
  }
  expect(text).toBe("one two three four");
  expect(types.indexOf("source")).toBeGreaterThan(-1);
  expect(types.indexOf("source")).toBeLessThan(types.indexOf("text-start"));
  expect(types.slice(-3)).toEqual(["text-end", "finish-step", "finish"]);
  expect(await result.finishReason).toBe("stop");
  expect((await result.usage).outputTokens).toBeGreaterThan(0);
});

it("answers from the passages that providerOptions name, and refuses options that are not understood", async () => {
  const { ragFt } = await open(() => "x");
  const ask = (ragFtOptions: Record<string, never>) =>
    generateText({ model: ragFt(), prompt: PROXY, providerOptions: { ragFt: ragFtOptions }, maxRetries: 0 });
  const filtered = { limit: 1, filter: { source: "logs.md" } } as unknown as Record<string, never>;
  expect((await ask(filtered)).sources).toMatchObject([{ title: "logs.md" }]);
  await expect(ask({ fliter: {} } as unknown as Record<string, never>)).rejects.toThrow(/expected limit, filter/);
});

it("says what it leaves out, and refuses what an answer would only seem to have", async () => {
  const { ragFt } = await open(() => "x");
  const model = ragFt();
  const { warnings } = await generateText({ model, instructions: "Talk like a pirate.", prompt: PROXY, topP: 0.5 });
  expect(warnings).toMatchObject([{ feature: "system messages" }, { feature: "topP" }]);
  const lookup = tool({ inputSchema: z.object({}), execute: async () => "x" });
  await expect(generateText({ model, prompt: PROXY, tools: { lookup } })).rejects.toThrow(/calls none/);
  await expect(generateText({ model, prompt: PROXY, output: Output.object({ schema: z.object({}) }) })).rejects.toThrow(
    /answers in text/,
  );
  const image = { type: "file" as const, mediaType: "image/png", data: new Uint8Array(4) };
  await expect(generateText({ model, messages: [{ role: "user", content: [image] }] })).rejects.toThrow(/text alone/);
  await expect(generateText({ model, messages: [{ role: "assistant", content: "x" }] })).rejects.toThrow(
    /last message is the question/,
  );
  expect(() => ragFt("gpt-9")).toThrow(NoSuchModelError);
  expect(() => ragFt.imageModel("rag-ft")).toThrow(/has rag-ft alone/);
});

it("stops the generator when the stream is aborted", async () => {
  let asked: () => void = () => {};
  const reached = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { ragFt } = await open(() => {
    asked();
    return new Promise(() => {});
  });
  const stop = new AbortController();
  const result = streamText({ model: ragFt(), prompt: PROXY, abortSignal: stop.signal, maxRetries: 0 });
  const types: string[] = [];
  const reading = (async () => {
    for await (const part of result.fullStream) types.push(part.type);
  })();
  await reached;
  stop.abort();
  await reading;
  expect(types).toContain("abort");
});

it("tells in the stream what failed", async () => {
  const { ragFt } = await open(() => ({ status: 400, body: { error: { message: "too hot", code: "x" } } }));
  const errors: unknown[] = [];
  const result = streamText({
    model: ragFt(),
    prompt: PROXY,
    maxRetries: 0,
    onError: ({ error }) => {
      errors.push(error);
    },
  });
  await result.consumeStream();
  expect(String(errors[0])).toContain("too hot");
});

it("embeds questions and passages with their prefixes, and ranks texts", async () => {
  const { ragFt } = await open(() => "x");
  const model = ragFt.embeddingModel();
  const system = rag as RagSystem;
  const { embedding } = await embed({ model, value: PROXY });
  expect(embedding).toEqual([...((await system.embed([PROXY]))[0] as Float32Array)]);
  const texts = TINY_PASSAGES.map(({ fmt_content }) => fmt_content);
  const { embeddings } = await embedMany({
    model,
    values: texts,
    providerOptions: { ragFt: { inputType: "passage" } },
  });
  expect(embeddings).toEqual((await system.embed(texts, "passage")).map((vector) => [...vector]));
  const { ranking } = await rerank({ model: ragFt.rerankingModel(), query: PROXY, documents: texts, topN: 2 });
  expect(ranking).toHaveLength(2);
  const [found] = await system.search(PROXY, { limit: 1 });
  expect(ranking[0]?.document).toBe(found?.document.fmt_content);
  expect(ranking[0]?.score).toBeCloseTo(found?.score as number, 5);
});

it("does what the guide shows", async () => {
  const ask = new URL("../examples/ask.js", import.meta.url);
  expect(await isDocumented(ask)).toBe(true);
  const asked = await whereExamplesRun(() => import(ask.href));
  expect(asked).toMatch(/Network 0\.\d+/);
  const embedding = new URL("../examples/embed.js", import.meta.url);
  expect(await isDocumented(embedding)).toBe(true);
  const embedded = await whereExamplesRun(() => import(embedding.href));
  expect(embedded).toMatch(/^\d+ 2\nSet HTTPS_PROXY\.\n$/);
});
