import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Client } from "@modelcontextprotocol/client";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
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

it("speaks to the official client over standard input and output, and ends when that ends", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const settings = mcp.settings.parse({ document_path: join(folder, "documents.jsonl"), retrieval: "bm25" });
  const running = mcp.run(settings, {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env: {},
    terminal: { input, output },
  });
  // A transport of lines is the same at either end.
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StdioServerTransport(output, input));
  expect(client.getServerVersion()).toMatchObject({ name: "rag-ft" });
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["search", "fetch"]);
  const found = await client.callTool({ name: "search", arguments: { query: "boats" } });
  const { results } = found.structuredContent as { results: { id: string; title: string }[] };
  expect(results).toMatchObject([{ title: "Boats > Blue" }]);
  const fetched = await client.callTool({ name: "fetch", arguments: { id: results[0]?.id } });
  expect(fetched.structuredContent).toMatchObject({ text: expect.stringContaining("boat --blue") });
  input.end();
  await running;
});
