import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { createDocument, type StageContext, silentReporter, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer, TINY_ENCODER } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ask } from "./index.js";

let folder = "";
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-ask-"));
  server = await startOpenAiServer({ reply: ({ messages }) => `You asked: ${messages.at(-1)?.content}` });
  await writeJsonl(join(folder, "documents.jsonl"), [
    createDocument("Blue boats float.", { source: "boats.md", title: "Boats", link: "https://docs.test/boats#blue" }),
    createDocument("Red cars stop.", { source: "cars.md" }),
  ]);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the stage; returns what it wrote. `lines` is what is typed. */
async function asked(given: Record<string, unknown>, lines: string[] = [], signal = new AbortController().signal) {
  let written = "";
  const output = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const input = Readable.from(lines.map((line) => `${line}\n`));
  const context: StageContext = {
    reporter: silentReporter,
    signal,
    env: { OPENAI_BASE_URL: server.url },
    terminal: { input, output },
  };
  const settings = ask.settings.parse({
    document_path: join(folder, "documents.jsonl"),
    qa_model_name_or_path: "a-model",
    retrieval: "bm25",
    embedding_max_num_to_retrieve: 1,
    ...given,
  });
  await ask.run(settings, context);
  return written;
}

it("writes the answer, and the passage with its link and title", async () => {
  expect(await asked({ question: "Which boats float?" })).toMatch(
    /^You asked: Which boats float\?\n\n\[1\] \d+\.\d{3} {2}https:\/\/docs\.test\/boats#blue\n +Boats\n$/,
  );
});

it("writes a line of JSON", async () => {
  const text = await asked({ question: "Which boats float?", json: "true" });
  expect(text.endsWith("}\n")).toBe(true);
  expect(JSON.parse(text)).toMatchObject({
    question: "Which boats float?",
    answer: "You asked: Which boats float?",
    finish_reason: "stop",
    passages: [{ source: "boats.md", page_content: "Blue boats float.", metadata: { title: "Boats" } }],
  });
});

it("answers each line of a list, whose empty lines say nothing, and no question without a word", async () => {
  const text = await asked({ json: "true" }, ["Which boats float?", "", "  ", "Which cars stop?"]);
  const rows = text.trimEnd().split("\n");
  expect(rows.map((row) => (JSON.parse(row) as { question: string }).question)).toEqual([
    "Which boats float?",
    "Which cars stop?",
  ]);
  await expect(asked({ question: " \t" })).rejects.toThrow(/has words/);
});

it("goes on as one dialogue, until an empty line", async () => {
  await asked({ question: "Which boats float?", chat: "true", follow_ups: "turns" }, [
    "And which stop?",
    "",
    "never asked",
  ]);
  const { messages } = server.requests[1]?.body ?? {};
  expect(messages?.slice(1)).toEqual([
    { role: "user", content: "Which boats float?" },
    { role: "assistant", content: "You asked: Which boats float?" },
    { role: "user", content: "And which stop?" },
  ]);
  // The question before it says what "which" is about: its passage is found for both.
  expect(messages?.[0]?.content).toContain("Blue boats float.");
  expect(server.requests).toHaveLength(2);
});

it("answers questions of a pipe each by itself, an answer a line", async () => {
  const text = await asked({ json: "true" }, ["Which boats float?", "Which cars stop?"]);
  expect(text.trim().split("\n")).toHaveLength(2);
  expect(server.requests[1]?.body?.messages).toHaveLength(2);
});

it("answers from vectors in LanceDB as from those in memory", async () => {
  const dense = { retrieval: "dense", embedding_model_name_or_path: TINY_ENCODER, question: "Which boats float?" };
  const inMemory = await asked(dense);
  const store = { vector_store: "lancedb", vector_store_url: join(folder, "lance") };
  expect(await asked({ ...dense, ...store })).toBe(inMemory);
  expect((await readdir(join(folder, "lance"))).some((name) => name.endsWith(".lance"))).toBe(true);
  expect(inMemory).toMatch(/^You asked: Which boats float\?\n\n\[1\] \d/);
});

it("says what is missing", async () => {
  await expect(asked({}, [])).rejects.toThrow(/no question was given/);
  await expect(asked({ question: "x?", document_path: undefined })).rejects.toThrow(/--document_path missing/);
  await expect(asked({ question: "x?", run: join(folder, "none") })).rejects.toThrow(/none: no such folder/);
  const stopped = AbortSignal.abort();
  await expect(asked({ question: "x?" }, [], stopped)).rejects.toThrow(/stopped|cancel/i);
});
