import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "@rag-ft/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOpenAiEncoder } from "./openai-encoder.js";

let server: Server;
let env: Record<string, string> = {};
let sizes: number[] = [];

beforeEach(async () => {
  sizes = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { input, model } = JSON.parse(body) as { input: string[]; model: string };
    response.setHeader("content-type", "application/json");
    if (model !== "text-embedding-test") {
      response.statusCode = 404;
      response.end(
        JSON.stringify({
          error: { message: `no model ${model} for ${request.headers.authorization}`, code: "model_not_found" },
        }),
      );
      return;
    }
    sizes.push(input.length);
    // Out of order on purpose: the index says which text a vector belongs to.
    const data = input.map((text, index) => ({ object: "embedding", index, embedding: [text.length, 0, 1] })).reverse();
    response.end(JSON.stringify({ object: "list", model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: "test" };
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

test("vectors come back in the order of the texts, normalised, in requests of bounded size", async () => {
  const encoder = await openOpenAiEncoder("text-embedding-test", { env });
  expect(encoder.dimensions).toBe(3);
  const texts = Array.from({ length: 130 }, (_, i) => "x".repeat(i + 1));
  const vectors = await encoder.embed(texts, "passage");
  expect(sizes).toEqual([1, 128, 2]);
  for (const i of [0, 4, 129]) {
    expect(vectors[i * 3]).toBeCloseTo((i + 1) / Math.hypot(i + 1, 1), 6);
    expect(vectors[i * 3 + 2]).toBeCloseTo(1 / Math.hypot(i + 1, 1), 6);
  }
});

test("a key that the server repeats is never shown, whatever it looks like", async () => {
  const failed = await openOpenAiEncoder("text-embedding-none", { env: { ...env, OPENAI_API_KEY: "odd/key" } }).catch(
    String,
  );
  expect(failed).toMatch(/no model text-embedding-none for Bearer …/);
  expect(failed).not.toMatch(/odd/);
});

test("a wrong name and a missing key are the user's to mend, and say so before any work", async () => {
  await expect(openOpenAiEncoder("text-embedding-none", { env })).rejects.toThrow(/no model text-embedding-none/);
  await expect(openOpenAiEncoder("text-embedding-test", { env: {} })).rejects.toThrow(UserError);
});
