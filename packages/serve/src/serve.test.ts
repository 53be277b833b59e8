import { readFile, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createDocument, type Document, documentId, writeJsonl } from "@rag-ft/core";
import OpenAI from "openai";
import { afterEach, expect, it } from "vitest";
import { PASSAGES, startTestServer, type TestServer, type TestServerOptions } from "./testing/start-test-server.js";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(options?: TestServerOptions): Promise<TestServer> {
  server = await startTestServer(options);
  return server;
}

const client = ({ address }: TestServer, apiKey = "none"): OpenAI =>
  new OpenAI({ baseURL: `${address}v1`, apiKey, maxRetries: 0 });

const post = (address: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const QUESTION = { model: "rag-ft", messages: [{ role: "user" as const, content: "Which boats float?" }] };

/** Sends headers that `fetch` does not let one set. */
function status(address: string, headers: Record<string, string>, path = "v1/models"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(`${address}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

it("answers OpenAI's own client, whole and streamed, with sources", async () => {
  const openai = client(await start());
  const whole = await openai.chat.completions.create(QUESTION);
  expect(whole.choices[0]?.message.content).toBe("About: Which boats float?");
  expect(whole.usage?.total_tokens).toBeGreaterThan(0);
  expect(whole).toMatchObject({
    model: "a-model",
    sources: [{ source: "boats.md", url: "https://docs.test/boats#blue", title: "Boats > Blue" }],
  });

  const stream = await openai.chat.completions.create({
    ...QUESTION,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let reason: string | null | undefined;
  let tokens = 0;
  const sources: unknown[] = [];
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    tokens = chunk.usage?.total_tokens ?? tokens;
    sources.push(...((chunk as { sources?: unknown[] }).sources ?? []));
  }
  expect([text, reason, sources.length]).toEqual(["About: Which boats float?", "stop", 1]);
  expect(tokens).toBeGreaterThan(0);
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(["rag-ft", "a-model"]);
  expect(await openai.models.retrieve("a-model")).toMatchObject({ id: "a-model", object: "model" });
  await expect(openai.models.retrieve("org/other")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});

it("takes the dialogue, the limit of tokens and parts of text, and says what it leaves out", async () => {
  const { model, ...rest } = await start({ settings: { follow_ups: "turns" } });
  const reply = await client({ model, ...rest }).chat.completions.create({
    model: "rag-ft",
    max_tokens: 7,
    temperature: 0.5,
    messages: [
      { role: "system", content: "Talk like a pirate." },
      { role: "user", content: "Which boats float?" },
      { role: "assistant", content: "Blue ones." },
      { role: "user", content: [{ type: "text", text: "Where?" }] },
    ],
  });
  expect(reply).toMatchObject({ warnings: [expect.stringContaining("role system")] });
  const body = model.requests[0]?.body;
  expect(body?.messages.slice(1).map(({ content }) => content)).toEqual(["Which boats float?", "Blue ones.", "Where?"]);
  expect(body?.messages[0]?.content).toContain("Blue boats float");
  expect(body).toMatchObject({ temperature: 0.5 });
  expect(JSON.stringify(body)).toMatch(/"max(_completion)?_tokens":7/);
});

it("hands on strings that end the answer, and says which settings it has not", async () => {
  const running = await start();
  const reply = await client(running).chat.completions.create({
    ...QUESTION,
    stop: ["END", ""],
    top_p: 0.5,
    seed: 0,
    logprobs: false,
  });
  expect(running.model.requests[0]?.body).toMatchObject({ stop: ["END"] });
  expect(reply).toMatchObject({ warnings: [expect.stringMatching(/^top_p/), expect.stringMatching(/^seed/)] });
});

it("searches by what a follow-up means alone, and says by what", async () => {
  const running = await start({
    model: {
      reply: ({ messages }) =>
        messages.at(-1)?.content.startsWith("Dialogue:") ? "Where do green trains run?" : "On rails.",
    },
  });
  const reply = await client(running).chat.completions.create({
    model: "rag-ft",
    messages: [
      { role: "user", content: "Which trains are green?" },
      { role: "assistant", content: "Some." },
      { role: "user", content: "Where do they run?" },
    ],
  });
  expect(reply).toMatchObject({ query: "Where do green trains run?", sources: [{ source: "javascript:alert(1)" }] });
  const [rewriting, answering] = running.model.requests.map(({ body }) => body?.messages);
  expect(rewriting?.[1]?.content).toBe(
    "Dialogue:\nuser: Which trains are green?\nassistant: Some.\n\nNext question: Where do they run?",
  );
  // The generator is given the dialogue as it was.
  expect(answering?.slice(1).map(({ content }) => content)).toEqual([
    "Which trains are green?",
    "Some.",
    "Where do they run?",
  ]);
  expect(running.model.requests).toHaveLength(2);
});

it.each([
  ["another model", { ...QUESTION, model: "gpt-9" }, 404, /no model "gpt-9" here/],
  [
    "no question",
    { model: "rag-ft", messages: [{ role: "assistant", content: "x" }] },
    400,
    /last one is the question/,
  ],
  ["tools", { ...QUESTION, tools: [{}] }, 400, /tools/],
  ["functions", { ...QUESTION, functions: [{}] }, 400, /functions/],
  ["JSON replies", { ...QUESTION, response_format: { type: "json_object" } }, 400, /response_format/],
  ["an image", { model: "rag-ft", messages: [{ role: "user", content: [{ type: "image_url" }] }] }, 400, /text/],
  ["no JSON", "{", 400, /not valid JSON/],
  ["nothing", "null", 400, /object/],
])("refuses %s", async (_, body, expected, message) => {
  const { address } = await start();
  const response = await post(address, "v1/chat/completions", body);
  expect(response.status).toBe(expected);
  expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(message);
});

it("refuses what a page of another site could send, and bodies that are too large or of another kind", async () => {
  const { address } = await start({ settings: { max_body_kb: 1 } });
  const refused = async (headers: Record<string, string>, body: unknown = QUESTION): Promise<number> =>
    (await post(address, "v1/chat/completions", body, headers)).status;
  expect(await refused({ origin: "https://evil.test" })).toBe(403);
  expect(await refused({ origin: "null" })).toBe(403);
  expect(await refused({ "content-type": "text/plain" })).toBe(415);
  expect(await refused({}, { ...QUESTION, padding: "x".repeat(2000) })).toBe(413);
  expect(await refused({ origin: address.slice(0, -1) })).toBe(200);
  expect(await status(address, { host: "evil.test" })).toBe(421);
  expect(await status(address, { "sec-fetch-site": "cross-site" })).toBe(403);
  expect((await fetch(`${address}v1/embeddings`)).status).toBe(405);
  expect((await fetch(`${address}v1/passages/..%2f..%2fetc%2fpasswd`)).status).toBe(404);
  expect((await fetch(`${address}nothing`)).status).toBe(404);
});

it("lets an allowed page ask", async () => {
  const { address } = await start({ settings: { allowed_origins: "https://intranet.test" } });
  const headers = { origin: "https://intranet.test" };
  const before = await fetch(`${address}v1/chat/completions`, { method: "OPTIONS", headers });
  expect(before.status).toBe(204);
  expect(before.headers.get("access-control-allow-headers")).toContain("content-type");
  const asked = "authorization,content-type,x-stainless-os";
  const official = await fetch(`${address}v1/chat/completions`, {
    method: "OPTIONS",
    headers: { ...headers, "access-control-request-headers": asked },
  });
  expect(official.headers.get("access-control-allow-headers")).toBe(asked);
  const response = await post(address, "v1/chat/completions", QUESTION, headers);
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([200, headers.origin]);
});

it.each(["https://intranet.test/", "intranet.test", "https://intranet.test/page", "null", "*"])(
  "refuses %s as an allowed page, which no request would name",
  async (allowed_origins) => {
    await expect(start({ settings: { allowed_origins } })).rejects.toThrow(/no slash at the end/);
  },
);

it("asks for its key where there is one, and must have one to be reached from elsewhere", async () => {
  const env = { RAG_FT_API_KEY: "a-secret-of-some-length" };
  const running = await start({ env });
  await expect(client(running).models.list()).rejects.toMatchObject({ status: 401 });
  expect((await client(running, env.RAG_FT_API_KEY).models.list()).data).toHaveLength(2);
  const page = await fetch(running.address);
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain("Blue boats");
  await running.close();
  server = undefined;
  await expect(startTestServer({ settings: { host: "0.0.0.0" } })).rejects.toThrow(/RAG_FT_API_KEY/);
  await expect(startTestServer({ settings: { host: "0.0.0.0" }, env: { RAG_FT_API_KEY: "short" } })).rejects.toThrow(
    /16/,
  );
});

it("searches, shows one passage, and never gives a link that runs", async () => {
  const { address } = await start();
  const reply = (await (await post(address, "v1/search", { query: "green trains", limit: 2 })).json()) as {
    results: Record<string, unknown>[];
  };
  expect(reply.results[0]).toMatchObject({ source: "javascript:alert(1)" });
  expect(reply.results[0]).not.toHaveProperty("url");
  const id = documentId(PASSAGES[1] as Document);
  expect(await (await fetch(`${address}v1/passages/${id}`)).json()).toMatchObject({ id, source: "cars.md" });
  expect(await (await post(address, "v1/search", { query: "", size: 1 })).json()).toHaveProperty("error");
  expect((await post(address, "v1/search", { query: " " })).status).toBe(400);
  expect(await (await post(address, "v1/search", [])).json()).toMatchObject({
    error: { message: expect.stringMatching(/^the body: /) },
  });
  const vectors = await post(address, "v1/embeddings", { model: "rag-ft", input: "x" });
  expect(await vectors.json()).toMatchObject({ error: { message: expect.stringContaining("searches by words") } });
});

it("keeps a turn that is voted on, once, and one that the client wants kept; nothing else", async () => {
  const running = await start();
  const openai = client(running);
  const first = await openai.chat.completions.create(QUESTION);
  await expect(readFile(running.turnsFile, "utf8")).rejects.toThrow(/ENOENT/);
  // A line that a killed process left half written.
  await writeFile(running.turnsFile, '{"kind":"turn","id":"x');
  expect((await post(running.address, "v1/votes", { id: first.id, vote: "up" })).status).toBe(200);
  expect(
    (await post(running.address, "v1/votes", { id: first.id, vote: "down", flag: true, note: "wrong" })).status,
  ).toBe(200);
  expect((await post(running.address, "v1/votes", { id: "made-up", vote: "up" })).status).toBe(404);
  await openai.chat.completions.create({ ...QUESTION, store: true });
  const lines = (await readFile(running.turnsFile, "utf8")).trimEnd().split("\n");
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map(({ kind }) => kind)).toEqual(["turn", "vote", "vote", "turn"]);
  expect(rows[0]).toMatchObject({ id: first.id, question: "Which boats float?", answer: "About: Which boats float?" });
  expect(rows[0]).toMatchObject({ passages: [{ metadata: { source: "boats.md" } }] });
  expect(rows[2]).toMatchObject({ id: first.id, vote: "down", flag: true, note: "wrong" });
});

it("has clients take turns, tells them when to come back, and says how it is", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { address } = await start({
    settings: { concurrency: 1, max_queue: 1 },
    model: {
      reply: async () => {
        await held;
        return "late";
      },
    },
  });
  const running = post(address, "v1/chat/completions", QUESTION);
  const waiting = post(address, "v1/chat/completions", QUESTION);
  let refused: Response | undefined;
  for (let tries = 0; tries < 200 && refused?.status !== 429; tries++) {
    const metrics = await (await fetch(`${address}metrics`)).text();
    if (metrics.includes("rag_ft_answers_waiting 1")) refused = await post(address, "v1/chat/completions", QUESTION);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(refused?.status).toBe(429);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  release();
  expect((await running).status).toBe(200);
  expect((await waiting).status).toBe(200);
  expect(await (await fetch(`${address}healthz`)).json()).toMatchObject({
    status: "ok",
    passages: 3,
    generator: "a-model",
  });
  expect(await (await fetch(`${address}metrics`)).text()).toMatch(
    /rag_ft_requests_total\{route="\/v1\/chat\/completions",status="200"\} 2/,
  );
});

it("stops at its time, and tells in the stream what failed", async () => {
  const { address } = await start({
    settings: { max_request_seconds: 1 },
    model: { reply: () => new Promise(() => {}) },
  });
  const response = await post(address, "v1/chat/completions", { ...QUESTION, stream: true });
  const text = await response.text();
  expect(text).toContain("max_request_seconds");
  expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect((await post(address, "v1/chat/completions", QUESTION)).status).toBe(504);
});

it("stops the model when the client goes, and gives its place to the next", async () => {
  let gone = 0;
  const { address, model } = await start({
    settings: { concurrency: 1 },
    model: {
      reply: async (_, index) => {
        if (index === 0) await new Promise(() => {});
        return "next";
      },
    },
  });
  const leaving = new AbortController();
  const body = JSON.stringify({ ...QUESTION, stream: true });
  const headers = { "content-type": "application/json" };
  const first = await fetch(`${address}v1/chat/completions`, { method: "POST", headers, body, signal: leaving.signal });
  await expect.poll(() => model.requests.length).toBe(1);
  leaving.abort();
  await first.text().catch(() => gone++);
  expect(gone).toBe(1);
  const second = await client({ address, model } as TestServer).chat.completions.create(QUESTION);
  expect(second.choices[0]?.message.content).toBe("next");
});

it("answers a hundred at once while one client never reads", async () => {
  const { address } = await start({ settings: { max_queue: 200 } });
  const held = await post(address, "v1/chat/completions", { ...QUESTION, stream: true });
  const all = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const response = await post(address, "v1/chat/completions", { ...QUESTION, stream: true });
      return [response.status, (await response.text()).includes("[DONE]")];
    }),
  );
  expect(all).toEqual(Array.from({ length: 100 }, () => [200, true]));
  await held.body?.cancel();
});

it("follows a database that changes, and keeps the old one when the new cannot be read", async () => {
  const { address, folder, warnings } = await start();
  const path = join(folder, "documents.jsonl");
  const found = async (): Promise<unknown> => {
    const reply = (await (await post(address, "v1/search", { query: "yellow planes", limit: 1 })).json()) as {
      results: { source: string }[];
    };
    return reply.results[0]?.source;
  };
  await writeFile(path, "not a database");
  await expect.poll(() => warnings.length, { timeout: 20_000 }).toBe(1);
  expect(warnings[0]).toContain("goes on");
  expect(await (await fetch(`${address}healthz`)).json()).toMatchObject({ passages: 3 });
  await writeJsonl(path, [...PASSAGES, createDocument("Yellow planes fly.", { source: "planes.md" })]);
  await expect.poll(found, { timeout: 20_000 }).toBe("planes.md");
});

it("speaks MCP over HTTP: search and fetch", async () => {
  const { address } = await start();
  const mcp = new Client({ name: "test", version: "1" });
  await mcp.connect(new StreamableHTTPClientTransport(new URL(`${address}mcp`)));
  expect((await mcp.listTools()).tools.map(({ name }) => name)).toEqual(["search", "fetch"]);
  const found = await mcp.callTool({ name: "search", arguments: { query: "Which boats float?", limit: 1 } });
  const { results } = found.structuredContent as { results: { id: string; url: string }[] };
  expect(results[0]).toMatchObject({ url: "https://docs.test/boats#blue", title: "Boats > Blue" });
  const fetched = await mcp.callTool({ name: "fetch", arguments: { id: results[0]?.id } });
  expect(fetched.structuredContent).toMatchObject({ text: expect.stringContaining("boat --blue") });
  expect(await mcp.callTool({ name: "fetch", arguments: { id: "none" } })).toMatchObject({ isError: true });
  await mcp.close();
});
