import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openRag } from "./open-rag.js";

let folder = "";
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-rag-"));
  server = await startOpenAiServer({ reply: ({ messages }) => `from ${messages[0]?.content.length ?? 0} characters` });
  await writeJsonl(
    join(folder, "documents.jsonl"),
    ["red cars stop", "blue boats float"].map((text, i) => createDocument(text, { source: `s${i}` })),
  );
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

it("opens a system by names, and streams from a server", async () => {
  const system = await openRag(
    {
      document_path: join(folder, "documents.jsonl"),
      embedding_model_name_or_path: "unused",
      qa_model_name_or_path: "a-model",
      retrieval: "bm25",
      embedding_max_num_to_retrieve: 1,
    },
    { env: { OPENAI_BASE_URL: server.url } },
  );
  expect((await system.search("boats"))[0]?.document.metadata.source).toBe("s1");
  let text = "";
  for await (const event of system.stream("Which boats?")) if (event.type === "text") text += event.text;
  expect(text).toMatch(/^from \d+ characters$/);
  const sent = server.requests[0]?.body?.messages;
  expect(sent?.[0]?.content).toContain("blue boats float");
  expect(sent?.[0]?.content).not.toContain("red cars");
  expect(sent?.at(-1)).toEqual({ role: "user", content: "Which boats?" });
  await system.close();
});

it("says what is missing", async () => {
  const options = {
    document_path: join(folder, "documents.jsonl"),
    embedding_model_name_or_path: "unused",
    retrieval: "bm25" as const,
  };
  await expect(openRag({ ...options, qa_model_name_or_path: "./nowhere" }, { env: {} })).rejects.toThrow(
    /no such folder/,
  );
  await expect(
    openRag({ ...options, document_path: join(folder, "none.jsonl"), qa_model_name_or_path: "gpt-x" }, { env: {} }),
  ).rejects.toThrow(/none\.jsonl/);
});
