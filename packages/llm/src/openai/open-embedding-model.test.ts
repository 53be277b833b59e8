import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "@rag-ft/core";
import { type OpenAiServer, type OpenAiServerOptions, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openBill } from "../bill/bill.js";
import { openCompletionStore } from "../completion-store.js";
import { createRequestTally } from "../requests/request-tally.js";
import { type EmbeddingModel, openEmbeddingModel } from "./open-embedding-model.js";

const MODEL = "text-embedding-test";
let server: OpenAiServer | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "embedding-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const lengths: OpenAiServerOptions["embed"] = ({ input }) => input.map((text) => [text.length, 1]);

async function open(
  embed = lengths,
  options: Partial<Parameters<typeof openEmbeddingModel>[1]> = {},
): Promise<EmbeddingModel> {
  server = await startOpenAiServer({ reply: () => "", embed, models: [MODEL] });
  return openEmbeddingModel(MODEL, { env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "odd/key" }, ...options });
}

async function billOf(settings: { max_cost?: number }) {
  const prices = join(folder, "prices.yaml");
  await writeFile(prices, `date: 2026-01-02\nbatch: 0.5\nmodels:\n  ${MODEL}: { input: 1000000, output: 0 }\n`);
  const store = await openCompletionStore(join(folder, "completions.jsonl"));
  return createRequestTally(await openBill({ purpose: "test", settings: { ...settings, prices }, store }));
}

it("gives one vector a text, in order, in requests of bounded size", async () => {
  const model = await open();
  const texts = ["", ...Array.from({ length: 129 }, (_, i) => "x".repeat(i + 1))];
  const seen: number[] = [];
  const vectors = await model.embed(texts, { onProgress: (done) => seen.push(done) });
  expect(vectors.map(([length]) => length)).toEqual([1, ...texts.slice(1).map((text) => text.length)]);
  expect(server?.requests.map(({ input }) => input?.length)).toEqual([128, 2]);
  expect(seen).toEqual([128, 130]);
});

it("tries again as completions do, counts and bills what the server counted, once", async () => {
  const tally = await billOf({});
  const busy = { status: 429, body: { error: { message: "busy" } }, headers: { "retry-after-ms": "5" } };
  const model = await open((body, index) => (index === 0 ? busy : (lengths?.(body, index) ?? [])), { tally });
  await model.embed(["two words", "and three more"]);
  expect(server?.requests).toHaveLength(2);
  expect(tally.counts).toMatchObject({
    requests_sent: 1,
    prompt_tokens: 5,
    completion_tokens: 0,
    tried_again: { rate_limit: 1 },
    cost: { cost_usd: 5, perhaps_billed_usd: 0 },
  });
});

it("stops before the cost can pass the cap", async () => {
  const model = await open(lengths, { tally: await billOf({ max_cost: 30 }) });
  await model.embed(["two words"]);
  await expect(model.embed(["x".repeat(40)])).rejects.toThrow(/Stopped before the cost could pass --max_cost 30/);
  expect(server?.requests).toHaveLength(1);
});

it("keeps to the budget of a minute", async () => {
  const controller = new AbortController();
  const model = await open(lengths, { requests: { requests_per_minute: 1 } });
  await model.embed(["one"]);
  const second = model.embed(["two"], { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await expect(second).rejects.toThrow("Stopped on request.");
  expect(server?.requests).toHaveLength(1);
});

it("never shows a key that the server repeats, whatever it looks like", async () => {
  const model = await open(() => ({ status: 400, body: { error: { message: "no vectors for Bearer odd/key" } } }));
  const failed = await model.embed(["one"]).catch(String);
  expect(failed).toMatch(/no vectors for Bearer …/);
  expect(failed).not.toMatch(/odd/);
});

it("names what is the user's to mend: a wrong name, a missing key", async () => {
  await open();
  const env = { OPENAI_BASE_URL: server?.url, OPENAI_API_KEY: "test" };
  const wrong = openEmbeddingModel("text-embedding-none", { env });
  await expect(wrong.embed(["one"])).rejects.toThrow(/does not know the model "text-embedding-none"/);
  await expect(wrong.embed(["one"])).rejects.toThrow(UserError);
  expect(() => openEmbeddingModel(MODEL, { env: {} })).toThrow(/OPENAI_API_KEY is not set.*name an encoder/);
});
