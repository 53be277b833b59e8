import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, silentReporter, UserError } from "@rag-ft/core";
import {
  type BatchEndpointOptions,
  type OpenAiServer,
  type ReplyFunction,
  startOpenAiServer,
} from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CompletionError } from "../completion-error.js";
import type { Completion, LanguageModel } from "../language-model.js";
import { connectAll } from "../openai/server.js";
import { createRequestTally } from "../requests/request-tally.js";
import { openBatchModel } from "./open-batch-model.js";

let folder: string;
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "batch-"));
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const last = (messages: { content: string }[]): string => messages.at(-1)?.content ?? "";
const echo: ReplyFunction = ({ messages }) => `re ${last(messages)}`;
const serve = async (batch: Omit<BatchEndpointOptions, "answer"> | undefined, reply = echo): Promise<void> => {
  server = await startOpenAiServer({ reply, models: ["gpt-test"], ...(batch ? { batch } : {}) });
};

function open(signal?: AbortSignal, tally = createRequestTally()): Promise<LanguageModel> {
  return openBatchModel({
    server: connectAll("gpt-test", { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-batch-123456" })[0],
    tally,
    journalPath: join(folder, "batches.jsonl"),
    max_retries: 2,
    reporter: silentReporter,
    signal,
    waveMs: 10,
    firstLookMs: 5,
  });
}

const options = { temperature: 0, max_new_tokens: 16, timeout_ms: 1000 };
const ask = (model: LanguageModel, text: string): Promise<Completion> =>
  model.complete([{ role: "user", content: text }], options);
const askAll = (model: LanguageModel, texts: string[]): Promise<PromiseSettledResult<Completion>[]> =>
  Promise.allSettled(texts.map((text) => ask(model, text)));
const textsOf = (ends: PromiseSettledResult<Completion>[]): (string | undefined)[] =>
  ends.map((end) => (end.status === "fulfilled" ? end.value.text : undefined));

describe("openBatchModel", () => {
  it("sends a wave as one batch, gives each its reply, and asks equal requests once", async () => {
    await serve({ looks: 3 });
    const ends = await askAll(await open(), ["a", "b", "a", "c"]);
    expect(textsOf(ends)).toEqual(["re a", "re b", "re a", "re c"]);
    expect(server.batches.map(({ request_counts }) => request_counts.total)).toEqual([3]);
    expect(ends[0]).toMatchObject({
      value: { finish_reason: "stop", usage: { prompt_tokens: 1, completion_tokens: 2 } },
    });
  });

  it("sends what expired or failed for the moment again, and reports what was refused", async () => {
    const busy: ReplyFunction = (body, index) => {
      const text = last(body.messages);
      if (text === "busy" && index < 4) return { status: 500, body: { error: { message: "busy" } } };
      return text === "bad" ? { status: 400, body: { error: { message: "no such thing" } } } : echo(body, index);
    };
    await serve({ expire: (_, number) => number === 0 && server.batches[0]?.request_counts.total === 1 }, busy);
    const tally = createRequestTally();
    const model = await open(undefined, tally);
    expect((await ask(model, "late")).text).toBe("re late");
    const ends = await askAll(model, ["a", "busy", "bad"]);
    expect(textsOf(ends)).toEqual(["re a", "re busy", undefined]);
    expect(ends[2]).toMatchObject({ reason: expect.any(CompletionError) });
    expect(ends[2]).toMatchObject({
      reason: { message: expect.stringContaining("400 no such thing"), kind: "rejected" },
    });
    expect(tally.counts.tried_again).toEqual({ server_error: 2 });
    expect(server.batches).toHaveLength(4);
  });

  it("takes a batch up again after a stop, also one whose id was lost, and sends nothing twice", async () => {
    const asked: string[] = [];
    await serve({ looks: 4 }, (body, index) => {
      asked.push(last(body.messages));
      return echo(body, index);
    });
    const stop = new AbortController();
    const first = askAll(await open(stop.signal), ["a", "b", "c"]);
    while (server.batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    stop.abort();
    for (const end of await first) expect(end).toMatchObject({ reason: expect.any(CancelledError) });
    const journal = join(folder, "batches.jsonl");
    const lines = (await readFile(journal, "utf8")).trimEnd().split("\n");
    for (const text of [`${lines.join("\n")}\n`, `${lines[0]}\n`, `${lines[0]}\n${lines[1]?.slice(0, 20)}`]) {
      await writeFile(journal, text);
      // A request that the batch does not hold goes into one of its own.
      const ends = await askAll(await open(), ["c", "a", "b", "new"]);
      expect(textsOf(ends)).toEqual(["re c", "re a", "re b", "re new"]);
    }
    expect(asked.filter((text) => text !== "new").sort()).toEqual(["a", "b", "c"]);
  });

  it("sends a batch again that was noted but never made, or that the server has forgotten", async () => {
    await serve({});
    expect((await ask(await open(), "a")).text).toBe("re a");
    server.batches[0] = { ...Object(server.batches[0]), id: "gone", metadata: null };
    expect((await ask(await open(), "a")).text).toBe("re a");
    expect(server.batches).toHaveLength(2);
  });

  it("says what to do about a refused batch, a server without batches, and a lost journal line", async () => {
    await serve({ invalid: () => ({ code: "model_not_found", message: "The model is retired." }) });
    const refused = ask(await open(), "a");
    await expect(refused).rejects.toBeInstanceOf(UserError);
    await expect(refused).rejects.toThrow(
      /refused the batch batch_1 of "gpt-test" \(model_not_found: The model is retired/,
    );
    await server.close();
    await serve(undefined);
    await rm(join(folder, "batches.jsonl"));
    await expect(ask(await open(), "a")).rejects.toThrow(/has no Batch API \(HTTP 404\)\. Leave out --batch/);
    await writeFile(join(folder, "batches.jsonl"), "nonsense\n");
    await expect(open()).rejects.toThrow(/batches\.jsonl:1: not a line about a batch/);
  });
});
