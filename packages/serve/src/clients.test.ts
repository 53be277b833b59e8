import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { isDocumented, TINY_ENCODER } from "@rag-ft/test-utils";
import { embedMany, generateText, streamText } from "ai";
import OpenAI from "openai";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startTestServer, type TestServer } from "./testing/start-test-server.js";

// Clients that others publish, each as its own documentation has it: serve has to speak as they expect.

const KEY = "a-secret-of-some-length";
const QUESTION = "Which boats float?";
const ANSWER = `About: ${QUESTION}`;

let server: TestServer;
let baseURL = "";
beforeEach(async () => {
  const settings = { retrieval: "dense", embedding_model_name_or_path: TINY_ENCODER, embedding_max_num_to_retrieve: 2 };
  server = await startTestServer({ settings, env: { RAG_FT_API_KEY: KEY } });
  baseURL = `${server.address}v1`;
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.close();
});

/** The vector as OpenAI's own package gets it. */
async function vectorOf(text: string): Promise<number[]> {
  const made = await new OpenAI({ baseURL, apiKey: KEY }).embeddings.create({ model: "rag-ft", input: text });
  const { data, usage } = made;
  // The two tokens around a text are counted, too.
  expect(usage.total_tokens).toBeGreaterThan(2);
  return data[0]?.embedding ?? [];
}

it("the AI SDK's provider for OpenAI-compatible servers: whole, streamed, embeddings", async () => {
  const served = createOpenAICompatible({ name: "rag-ft", baseURL, apiKey: KEY, includeUsage: true });
  const whole = await generateText({ model: served("rag-ft"), prompt: QUESTION });
  expect([whole.text, whole.finishReason]).toEqual([ANSWER, "stop"]);
  expect(whole.usage.totalTokens).toBeGreaterThan(0);
  const result = streamText({ model: served("rag-ft"), prompt: QUESTION });
  let text = "";
  for await (const piece of result.textStream) text += piece;
  expect([text, await result.finishReason]).toEqual([ANSWER, "stop"]);
  expect((await result.usage).totalTokens).toBeGreaterThan(0);
  const { embeddings } = await embedMany({ model: served.embeddingModel("rag-ft"), values: [QUESTION, "cars"] });
  expect(embeddings).toEqual([await vectorOf(QUESTION), await vectorOf("cars")]);
  const wrong = generateText({ model: served("gpt-9"), prompt: QUESTION, maxRetries: 0 });
  await expect(wrong).rejects.toThrow(/no model "gpt-9" here/);
});

it("LangChain's ChatOpenAI and OpenAIEmbeddings: whole, streamed, batches", async () => {
  const given = { model: "rag-ft", apiKey: KEY, configuration: { baseURL }, maxRetries: 0 };
  const chat = new ChatOpenAI(given);
  const whole = await chat.invoke([new HumanMessage(QUESTION)]);
  expect(whole.text).toBe(ANSWER);
  expect(whole.usage_metadata?.total_tokens).toBeGreaterThan(0);
  let text = "";
  for await (const piece of await chat.stream(QUESTION)) text += piece.text;
  expect(text).toBe(ANSWER);
  const replies = await chat.batch(["one?", "two?"]);
  expect(replies.map((reply) => reply.text)).toEqual(["About: one?", "About: two?"]);
  const embeddings = new OpenAIEmbeddings(given);
  const exact = await vectorOf(QUESTION);
  const close = (vector: number[]) => vector.every((value, i) => Math.abs(value - (exact[i] as number)) < 1e-6);
  const [first, second] = await embeddings.embedDocuments([QUESTION, "cars"]);
  expect([first?.length, second?.length]).toEqual([exact.length, exact.length]);
  expect(close(first ?? [])).toBe(true);
  expect(close(await embeddings.embedQuery(QUESTION))).toBe(true);
  await expect(new ChatOpenAI({ ...given, apiKey: "wrong" }).invoke(QUESTION)).rejects.toThrow(/asks for its key/);
});

it("the official MCP client over HTTP, with the key", async () => {
  const mcp = new Client({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
  await mcp.connect(new StreamableHTTPClientTransport(new URL(`${server.address}mcp`), { requestInit }));
  const found = await mcp.callTool({ name: "search", arguments: { query: QUESTION, limit: 1 } });
  expect((found.structuredContent as { results: unknown[] }).results).toHaveLength(1);
  await mcp.close();
  const stranger = new Client({ name: "test", version: "1" });
  await expect(stranger.connect(new StreamableHTTPClientTransport(new URL(`${server.address}mcp`)))).rejects.toThrow();
});

it.each(["openai", "ai-sdk", "langchain"])("the guide's example of %s", async (name) => {
  const example = new URL(`../examples/${name}.js`, import.meta.url);
  expect(await isDocumented(example)).toBe(true);
  // Written for the usual port and no key.
  const { fetch: plain } = globalThis;
  vi.stubGlobal("fetch", (input: string | URL | Request, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${KEY}`);
    return plain(String(input).replace("http://127.0.0.1:8640/", server.address), { ...init, headers });
  });
  let output = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    output += String(piece);
    return true;
  });
  const logged = vi.spyOn(console, "log").mockImplementation((...values) => {
    output += `\n${values.join(" ")}`;
  });
  try {
    await import(example.href);
  } finally {
    written.mockRestore();
    logged.mockRestore();
  }
  const dimensions = (await vectorOf("x")).length;
  const answer = "About: How do I set a proxy?";
  expect(output).toBe(name === "langchain" ? `${answer}\n${dimensions}` : answer);
});
