import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as connectSocket } from "node:net";
import {
  type OddRefusalName,
  type OddReply,
  type OpenAiServer,
  oddRefusal,
  oddRefusals,
  oddReplies,
  startOpenAiServer,
} from "@rag-ft/test-utils";
import { afterEach, describe, expect, it } from "vitest";
import { checkReply } from "../replies/check-reply.js";
import { createRequestTally } from "../requests/request-tally.js";
import { asOpenAiError } from "./error-body.js";
import { openOpenAiModel } from "./open-openai-model.js";

const TEXT = "The operator sets it, does he not?";
const options = { temperature: 0, max_new_tokens: 16, timeout_ms: 5000, seed: 1, stop: ["END"] };
const messages = [
  { role: "system" as const, content: "Be short." },
  { role: "user" as const, content: "two words" },
];
const schema = { name: "s", schema: { type: "object" } };
let server: OpenAiServer | undefined;
let proxy: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  proxy?.close();
  server = undefined;
  proxy = undefined;
});

describe("odd replies", () => {
  it.each(Object.keys(oddReplies) as OddReply[])("%s: the text is read", async (kind) => {
    server = await startOpenAiServer({ reply: (body) => oddReplies[kind](body, TEXT) });
    const model = openOpenAiModel("a-model", { env: { OPENAI_BASE_URL: server.url } });
    const completion = await model.complete(messages, options);
    expect(checkReply(completion, "a-model").text).toBe(TEXT);
    const usage = kind.startsWith("usage_") ? completion.usage : undefined;
    expect(usage).toEqual(kind === "usage_text" ? { prompt_tokens: 100, completion_tokens: 5 } : undefined);
    // What is stored can be read back.
    expect(JSON.stringify(completion)).not.toMatch(/null|NaN/);
  });

  it("a reply that is all thought, or an error in the place of choices, is described truly", async () => {
    const replies = [
      { choices: [{ message: { content: "<think>\nOkay, the user" }, finish_reason: "length" }] },
      { choices: [{ message: { content: null, reasoning_content: "I think" }, finish_reason: "length" }] },
    ];
    server = await startOpenAiServer({ reply: (_, index) => ({ body: replies[index] }) });
    const model = openOpenAiModel("a-model", { env: { OPENAI_BASE_URL: server.url } });
    for (const _ of replies) {
      const completion = await model.complete(messages, options);
      expect(() => checkReply(completion, "a-model")).toThrow(/cut while the model was thinking/);
    }
    await server.close();
    server = await startOpenAiServer({
      reply: () => ({ body: { error: { message: "Provider returned error", code: 502 } } }),
    });
    const other = openOpenAiModel("a-model", {
      env: { OPENAI_BASE_URL: server.url },
      requests: { max_retries: 0 },
    });
    await expect(other.complete(messages, options)).rejects.toThrow(/no choice: Provider returned error/);
  });

  it("what stands in the place of choices is shown, and a refusal within parts is one", async () => {
    const html = { "content-type": "text/html" };
    const replies = [
      { body: "<!doctype html>\n<title>Login</title>", headers: html },
      { body: { detail: "Not authenticated" } },
      { body: "" },
      { body: { choices: [{ message: { content: [{ type: "refusal", refusal: "No." }] }, finish_reason: "stop" }] } },
      { body: { choices: [{ message: { content: "", reasoning: "Hm." }, finish_reason: "stop" }] } },
    ];
    server = await startOpenAiServer({ reply: (_, index) => replies[index] ?? "fine" });
    const model = openOpenAiModel("a-model", { env: { OPENAI_BASE_URL: server.url }, requests: { max_retries: 0 } });
    const ask = () => model.complete(messages, options);
    await expect(ask()).rejects.toThrow(/no choice: <!doctype html> <title>Login<.*check OPENAI_BASE_URL/);
    await expect(ask()).rejects.toThrow(/no choice: Not authenticated/);
    await expect(ask()).rejects.toThrow(/no choice: it is empty/);
    const refused = await ask();
    expect(() => checkReply(refused, "a-model")).toThrow(/refused: No\./);
    const thought = await ask();
    expect(() => checkReply(thought, "a-model")).toThrow(/holds only the model's thoughts/);
  });
});

describe("refused parameters", () => {
  it.each(Object.keys(oddRefusals) as OddRefusalName[])("%s: changed once, remembered, and said", async (kind) => {
    const lines: string[] = [];
    server = await startOpenAiServer({
      reply: (body) => oddRefusal(kind, body) ?? (body.stop ? "fine" : "fineEND and more"),
    });
    const reporter = { warn: (line: string) => void lines.push(line) };
    // gpt-5 is sent max_completion_tokens at once.
    const name = kind === "max_completion_tokens" ? "gpt-5-mini" : "a-model";
    const model = openOpenAiModel(name, { env: { OPENAI_BASE_URL: server.url }, reporter });
    const live = kind.startsWith("stream") ? { onText: () => {} } : {};
    const ask = () => model.complete(messages, { ...options, schema, ...live });
    // Two at once: both are refused, one line says it.
    const both = await Promise.all([ask(), ask()]);
    if (kind !== "max_completion_tokens") expect(both.map(({ text }) => text)).toEqual(["fine", "fine"]);
    const before = server.requests.length;
    await ask();
    expect(server.requests).toHaveLength(before + 1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/from now on it is asked so/);
    const sent = server.requests.at(-1)?.body?.messages ?? [];
    expect(sent.at(-1)?.content).toContain("two words");
    expect(sent.map(({ content }) => content).join()).toContain("Be short.");
  });

  it("gpt-5 and its kin are sent max_completion_tokens and no temperature wherever they are served", async () => {
    server = await startOpenAiServer({
      reply: (body) => oddRefusal("max_tokens", body) ?? oddRefusal("temperature", body) ?? "fine",
    });
    const model = openOpenAiModel("gpt-5-mini", { env: { OPENAI_BASE_URL: server.url } });
    await model.complete(messages, options);
    expect(server.requests).toHaveLength(1);
  });

  it("a value that is too large is no refused parameter: the reason is shown", async () => {
    const detail = [
      { type: "less_than_equal", loc: ["body", "max_tokens"], msg: "Input should be less than or equal to 8" },
    ];
    server = await startOpenAiServer({ reply: () => ({ status: 422, body: { detail } }) });
    const model = openOpenAiModel("a-model", { env: { OPENAI_BASE_URL: server.url }, requests: { max_retries: 0 } });
    await expect(model.complete(messages, options)).rejects.toThrow(/body\.max_tokens: Input should be less than/);
    expect(server.requests).toHaveLength(1);
  });
});

describe("error bodies", () => {
  it.each([
    [{ object: "error", message: "No such thing", type: "NotFoundError", param: null, code: 404 }, "No such thing"],
    [{ detail: "Not authenticated" }, "Not authenticated"],
    [{ detail: [{ loc: ["body", "n"], msg: "too large" }] }, "body.n: too large"],
    [{ object: "error", message: { detail: [{ loc: ["body", "seed"], msg: "no" }] } }, "body.seed: no"],
    [{ error: "model is loading" }, "model is loading"],
    [{ message: "Too many" }, "Too many"],
    [{ errors: [{ message: "first" }, { message: "second" }] }, "first; second"],
    [[{ error: { code: 400, message: "Gemini says no", status: "INVALID_ARGUMENT" } }], "Gemini says no"],
    ["<html>502 Bad Gateway</html>", "<html>502 Bad Gateway</html>"],
    ["", "no reason given"],
  ])("%j", (body, message) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { error } = JSON.parse(asOpenAiError(text)) as { error: { message: string } };
    expect(error.message).toContain(message);
  });
});

it("a query of the address goes with every request, and stands in no message", async () => {
  server = await startOpenAiServer({ reply: () => ({ status: 400, body: { error: { message: "no" } } }) });
  const model = openOpenAiModel("dep", {
    env: { OPENAI_BASE_URL: `${server.url}?api-version=2024-10-21&code=secret-word`, OPENAI_API_KEY: "k" },
    tally: createRequestTally(),
  });
  const error = await model.complete(messages, options).catch((thrown: unknown) => String(thrown));
  expect(error).not.toContain("secret-word");
  expect(server.requests[0]).toMatchObject({
    path: "/v1/chat/completions",
    query: "api-version=2024-10-21&code=secret-word",
  });
});

it("a proxy is used where the environment names one, and passed by for NO_PROXY", async () => {
  server = await startOpenAiServer({ reply: () => "fine" });
  const seen: string[] = [];
  proxy = createServer((request, response) => {
    // An absolute address: a request to a proxy.
    seen.push(request.url ?? "");
    response.writeHead(502).end();
  });
  proxy.on("connect", (request, socket) => {
    seen.push(request.url ?? "");
    const [host, port] = (request.url ?? "").split(":");
    const target = connectSocket(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    for (const end of [target, socket]) end.on("error", () => {});
  });
  await new Promise<void>((resolve) => proxy?.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const ask = (env: Record<string, string>) =>
    openOpenAiModel("m", { env: { OPENAI_BASE_URL: server?.url ?? "", ...env } }).complete(messages, options);
  expect((await ask({ http_proxy: address })).text).toBe("fine");
  expect(seen).toHaveLength(1);
  expect((await ask({ HTTP_PROXY: address, NO_PROXY: "127.0.0.1" })).text).toBe("fine");
  expect(seen).toHaveLength(1);
  expect(() => openOpenAiModel("m", { env: { OPENAI_API_KEY: "k", HTTPS_PROXY: "socks5://x:1" } })).toThrow(
    /address of a proxy/,
  );
});
