import { CancelledError, UserError } from "@rag-ft/core";
import {
  completionReply,
  createFaultyReplies,
  type OpenAiServer,
  type ReplyDetails,
  type ReplyFunction,
  startOpenAiServer,
} from "@rag-ft/test-utils";
import { afterEach, describe, expect, it } from "vitest";
import { CompletionError } from "../completion-error.js";
import type { LanguageModel } from "../language-model.js";
import { checkReply } from "../replies/check-reply.js";
import { createRequestTally, type RequestTally } from "../requests/request-tally.js";
import { openOpenAiModel } from "./open-openai-model.js";

const KEY = "sk-secret-abcdef123456";
const options = { temperature: 0, max_new_tokens: 16, timeout_ms: 5000 };
const messages = [{ role: "user" as const, content: "two words" }];
const soon = { "retry-after-ms": "5" };
let server: OpenAiServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(
  reply: ReplyFunction,
  env: Record<string, string> = {},
  tally?: RequestTally,
): Promise<LanguageModel> {
  server = await startOpenAiServer({ reply, apiKey: KEY, models: ["gpt-test"] });
  return openOpenAiModel("gpt-test", { env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: KEY, ...env }, tally });
}

describe("openOpenAiModel", () => {
  it("sends what was asked and returns text and usage", async () => {
    const model = await open(() => "three small words");
    expect(await model.complete(messages, { ...options, stop: ["\n"], seed: 4 })).toEqual({
      text: "three small words",
      finish_reason: "stop",
      usage: { prompt_tokens: 2, completion_tokens: 3 },
    });
    expect(server?.requests[0]).toMatchObject({
      authorization: `Bearer ${KEY}`,
      body: { model: "gpt-test", messages, temperature: 0, max_tokens: 16, stop: ["\n"], seed: 4 },
    });
  });

  it.each([429, 500, 503])("tries again after %i and then succeeds", async (status) => {
    const model = await open((_, index) =>
      index < 2 ? { status, body: { error: { message: "busy" } }, headers: soon } : "fine",
    );
    expect((await model.complete(messages, options)).text).toBe("fine");
    expect(server?.requests).toHaveLength(3);
  });

  it("waits as long as Retry-After says", async () => {
    const model = await open((_, index) =>
      index === 0 ? { status: 429, body: {}, headers: { "retry-after": "1" } } : "fine",
    );
    const start = Date.now();
    await model.complete(messages, options);
    expect(Date.now() - start).toBeGreaterThanOrEqual(950);
  });

  it.each(["hang", "reset", "reset-mid-body", "malformed", "no-choices"] as const)(
    "tries again after %s and counts it",
    async (kind) => {
      const faulty = createFaultyReplies({ reply: () => "fine", rate: 1, kinds: [kind] });
      const tally = createRequestTally();
      const model = await open((body, index) => (index === 0 ? faulty.reply(body, index) : "fine"), {}, tally);
      expect((await model.complete(messages, { ...options, timeout_ms: 300 })).text).toBe("fine");
      const expected = { hang: "timeout", malformed: "malformed", "no-choices": "no_choice" };
      const counted = kind.startsWith("reset") ? "connection" : expected[kind as keyof typeof expected];
      expect(tally.counts.tried_again).toEqual({ [counted]: 1 });
    },
  );

  it("asks for a JSON schema until the server refuses one, once for all, and counts which", async () => {
    const schema = { name: "s", schema: { type: "object" } };
    const takes = createRequestTally();
    const kind = await open(() => "{}", {}, takes);
    await kind.complete(messages, { ...options, schema });
    const sent = { type: "json_schema", json_schema: { ...schema, strict: true } };
    expect(server?.requests[0]?.body).toMatchObject({ response_format: sent });
    expect(takes.counts.structured_outputs).toBe("used");
    await server?.close();
    const refuses = createRequestTally();
    const plain = await open(
      (body) =>
        "response_format" in body
          ? { status: 400, body: { error: { message: "response_format is not supported" } } }
          : "fine",
      {},
      refuses,
    );
    for (let i = 0; i < 3; i++) expect((await plain.complete(messages, { ...options, schema })).text).toBe("fine");
    expect(server?.requests.map(({ body }) => body && "response_format" in body)).toEqual([true, false, false, false]);
    expect(refuses.counts).toMatchObject({ structured_outputs: "refused by the server", tried_again: {} });
    expect(refuses.lines().join()).toMatch(/takes no JSON schema/);
  });

  it("gives up after its retries with the server's words", async () => {
    const model = await open(() => ({ status: 500, body: { error: { message: "broken for good" } }, headers: soon }));
    await expect(model.complete(messages, options)).rejects.toThrow(/broken for good/);
    await expect(model.complete(messages, options)).rejects.toBeInstanceOf(CompletionError);
    expect(server?.requests).toHaveLength(12);
  });

  it("fails at once on a wrong key or model, says what to do and shows no key", async () => {
    const wrongKey = await open(() => "x", { OPENAI_API_KEY: "sk-wrong-zyxwvu987654" });
    const error: Error = await wrongKey.complete(messages, options).then(
      () => new Error("no error"),
      (caught: Error) => caught,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(/OPENAI_API_KEY/);
    expect(error.message).not.toContain("zyxwvu");
    expect(server?.requests).toHaveLength(1);
    const wrongModel = openOpenAiModel("gpt-none", { env: { OPENAI_BASE_URL: server?.url, OPENAI_API_KEY: KEY } });
    await expect(wrongModel.complete(messages, options)).rejects.toThrow(/does not know the model "gpt-none"/);
    expect(server?.requests).toHaveLength(2);
  });

  it("asks once when the quota is used up, and says so", async () => {
    const body = {
      error: { message: "You exceeded your quota.", type: "insufficient_quota", code: "insufficient_quota" },
    };
    const model = await open(() => ({ status: 429, body, headers: soon }));
    const attempt = model.complete(messages, options);
    await expect(attempt).rejects.toBeInstanceOf(UserError);
    await expect(attempt).rejects.toThrow(/quota is used up.*finished completions are kept/);
    expect(server?.requests).toHaveLength(1);
  });

  it("shows no key of any form that the server repeats, nor what an address carries", async () => {
    const key = "0123456789abcdef-plain";
    server = await startOpenAiServer({
      reply: () => ({ status: 400, body: { error: { message: `Bad key ${key}` } } }),
    });
    const model = openOpenAiModel("gpt-test", { env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: key } });
    await expect(model.complete(messages, options)).rejects.toThrow(/v1: 400 Bad key …$/);
    for (const address of ["http://ann:secret@127.0.0.1:9/v1", "ann secret", "ftp://secret"]) {
      const open = (): unknown => openOpenAiModel("gpt-test", { env: { OPENAI_BASE_URL: address } });
      expect(open).toThrow(/OPENAI_BASE_URL/);
      expect(open).not.toThrow(/secret|ann /);
    }
  });

  it("hands over what cannot be used, for the store, and checkReply tells it; stops when asked to", async () => {
    const bodies: ReplyDetails[] = [
      {},
      { refusal: "no" },
      { finish_reason: "content_filter" },
      { finish_reason: "length" },
    ];
    const empty = await open((body, index) => completionReply(body, "", index, bodies[index]));
    for (const kind of ["empty", "refusal", "content_filter", "truncated"]) {
      const completion = await empty.complete(messages, options);
      expect(() => checkReply(completion, "m")).toThrow(expect.objectContaining({ kind }));
    }
    await expect(empty.complete(messages, { ...options, signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      CancelledError,
    );
  });

  it("waits for what is under way when asked to stop, and sends nothing more", async () => {
    const stop = new AbortController();
    const model = await open(async (_, index) => {
      if (index === 0) return { status: 500, body: {}, headers: soon };
      stop.abort();
      await new Promise((resolve) => setTimeout(resolve, 30));
      return "paid for";
    });
    expect((await model.complete(messages, { ...options, signal: stop.signal })).text).toBe("paid for");
    await expect(model.complete(messages, { ...options, signal: stop.signal })).rejects.toBeInstanceOf(CancelledError);
    expect(server?.requests).toHaveLength(2);
  });

  it("needs a key for OpenAI itself, none for another server", async () => {
    expect(() => openOpenAiModel("gpt-test", { env: {} })).toThrow(/OPENAI_API_KEY is not set/);
    expect(openOpenAiModel("gpt-test", { env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" } }).provider).toBe("openai");
  });
});
