import { UserError } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOpenAiEncoder } from "./openai-encoder.js";

const MODEL = "text-embedding-test";
let server: OpenAiServer;
let env: Record<string, string> = {};

beforeEach(async () => {
  server = await startOpenAiServer({
    reply: () => "",
    embed: ({ input }) => input.map((text) => [text.length, 0, 1]),
    models: [MODEL],
  });
  env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "test" };
});
afterEach(() => server.close());

test("vectors come back in the order of the texts, normalised, in requests of bounded size", async () => {
  const encoder = await openOpenAiEncoder(MODEL, { env });
  expect(encoder.dimensions).toBe(3);
  const texts = Array.from({ length: 130 }, (_, i) => "x".repeat(i + 1));
  const vectors = await encoder.embed(texts, "passage");
  expect(server.requests.map(({ input }) => input?.length)).toEqual([1, 128, 2]);
  for (const i of [0, 4, 129]) {
    expect(vectors[i * 3]).toBeCloseTo((i + 1) / Math.hypot(i + 1, 1), 6);
    expect(vectors[i * 3 + 2]).toBeCloseTo(1 / Math.hypot(i + 1, 1), 6);
  }
});

test("a wrong name and a missing key are the user's to mend, and say so before any work", async () => {
  await expect(openOpenAiEncoder("text-embedding-none", { env })).rejects.toThrow(UserError);
  await expect(openOpenAiEncoder(MODEL, { env: {} })).rejects.toThrow(UserError);
});
