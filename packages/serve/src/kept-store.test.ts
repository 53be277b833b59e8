import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { TINY_ENCODER } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PASSAGES, startTestServer, type TestServer } from "./testing/start-test-server.js";

let folder = "";
let server: TestServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-kept-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

interface Found {
  source: string;
  score: number;
}

async function start(more: Record<string, unknown> = {}): Promise<TestServer> {
  await server?.close();
  const settings = { retrieval: "dense", embedding_model_name_or_path: TINY_ENCODER, embedding_max_num_to_retrieve: 2 };
  server = await startTestServer({ settings: { ...settings, ...more } });
  return server;
}

async function search(body: Record<string, unknown>): Promise<Found[]> {
  const reply = await fetch(`${server?.address}v1/search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return ((await reply.json()) as { results: Found[] }).results;
}

const QUERIES = [{ query: "Which boats float?" }, { query: "trains", limit: 2, offset: 1 }];
const ofCars = { query: "Which boats float?", filter: { source: "cars.md" } };

it("serves from LanceDB what it serves from memory: searches, pages of them, filters, answers", async () => {
  await start();
  const inMemory = await Promise.all([...QUERIES, ofCars].map(search));
  const kept = { vector_store: "lancedb", vector_store_url: join(folder, "lance") };
  await start(kept);
  const found = await Promise.all([...QUERIES, ofCars].map(search));
  const plain = (lists: Found[][]) => lists.map((list) => list.map(({ source, score }) => [source, score]));
  expect(plain(found)).toEqual(plain(inMemory));
  expect(found[2]?.map(({ source }) => source)).toEqual(["cars.md"]);
  const tables = await readdir(join(folder, "lance"));
  expect(tables.some((name) => name.endsWith(".lance"))).toBe(true);
  // A second server opens what is there.
  await start(kept);
  expect(plain(await Promise.all([...QUERIES, ofCars].map(search)))).toEqual(plain(inMemory));
  expect(await readdir(join(folder, "lance"))).toEqual(tables);
});

it("follows a database that changes: its new passages are in the store, and are found", async () => {
  const running = await start({ vector_store: "lancedb", vector_store_url: join(folder, "lance") });
  const added = createDocument("Yellow planes fly.", { source: "planes.md" });
  await writeJsonl(join(running.folder, "documents.jsonl"), [...PASSAGES, added]);
  const first = async (): Promise<string | undefined> =>
    (await search({ query: "Yellow planes fly.", limit: 1 }))[0]?.source;
  await expect.poll(first, { timeout: 20_000 }).toBe("planes.md");
  expect(running.warnings).toEqual([]);
});

it("ends with one sentence where the store cannot be opened, and shows no password", async () => {
  const url = "postgresql://reader:hidden-word@127.0.0.1:1/docs";
  const refused = start({ vector_store: "pgvector", vector_store_url: url });
  await expect(refused).rejects.toThrow(/RAG_FT_VECTOR_STORE_URL/);
  await expect(refused).rejects.not.toThrow(/hidden-word/);
});
