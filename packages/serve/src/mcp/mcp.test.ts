import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { silentReporter, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mcp } from "../index.js";
import { PASSAGES } from "../testing/start-test-server.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-mcp-"));
  await writeJsonl(join(folder, "documents.jsonl"), PASSAGES);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("speaks over standard input and output, and ends when that ends", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const settings = mcp.settings.parse({ document_path: join(folder, "documents.jsonl"), retrieval: "bm25" });
  const running = mcp.run(settings, {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env: {},
    terminal: { input, output },
  });
  const replies = new Map<number, { result?: Record<string, unknown> }>();
  let text = "";
  output.on("data", (chunk) => {
    text += String(chunk);
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const message = JSON.parse(text.slice(0, end)) as { id?: number; result?: Record<string, unknown> };
      if (message.id !== undefined) replies.set(message.id, message);
      text = text.slice(end + 1);
    }
  });
  const send = (message: object): void => {
    input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  };
  const reply = async (id: number) => {
    await expect.poll(() => replies.has(id), { timeout: 20_000 }).toBe(true);
    return replies.get(id)?.result;
  };
  const clientInfo = { name: "test", version: "1" };
  send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } });
  expect(await reply(1)).toMatchObject({ serverInfo: { name: "rag-ft" } });
  send({ method: "notifications/initialized" });
  send({ id: 2, method: "tools/call", params: { name: "search", arguments: { query: "boats" } } });
  expect(await reply(2)).toMatchObject({ structuredContent: { results: [{ title: "Boats > Blue" }] } });
  input.end();
  await running;
});
