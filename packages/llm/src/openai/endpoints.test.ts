import { setTimeout as wait } from "node:timers/promises";
import { serverIdentity, UserError } from "@rag-ft/core";
import { type OpenAiServer, type RawReply, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, expect, test } from "vitest";
import { CompletionError } from "../completion-error.js";
import type { Completion } from "../language-model.js";
import { defaultConcurrency } from "../open-language-model.js";
import { createRequestTally } from "../requests/request-tally.js";
import { runPool } from "../run-pool.js";
import { createEndpoints, type Tried } from "./endpoints.js";
import { openEmbeddingModel } from "./open-embedding-model.js";
import { openOpenAiModel } from "./open-openai-model.js";
import type { Server } from "./server.js";

// Real servers on this machine, each with its own manners.

let servers: OpenAiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close().catch(() => {})));
  servers = [];
});

type Reply = (text: string, index: number) => string | RawReply | Promise<string | RawReply>;

/** A server, and the most requests that it had at once. */
async function serve(reply: Reply, apiKey?: string): Promise<OpenAiServer & { most: () => number }> {
  let running = 0;
  let most = 0;
  const server = await startOpenAiServer({
    ...(apiKey === undefined ? {} : { apiKey }),
    reply: async ({ messages }, index) => {
      most = Math.max(most, ++running);
      try {
        return await reply(messages.at(-1)?.content ?? "", index);
      } finally {
        running--;
      }
    },
  });
  servers.push(server);
  return { ...server, most: () => most };
}

const failing = (status: number, more: Partial<RawReply> = {}): RawReply => ({
  ...{ status, body: { error: { message: "not today", code: "a_code" } } },
  ...more,
});

interface Asking {
  key?: string;
  max_retries?: number;
  max_concurrency?: number;
  questions?: number;
}

async function ask(urls: readonly string[], { key = "sk-secret-12345", questions = 40, ...requests }: Asking = {}) {
  const lines: string[] = [];
  const tally = createRequestTally();
  const model = openOpenAiModel("a-model", {
    env: { OPENAI_BASE_URL: urls.join(", "), OPENAI_API_KEY: key },
    requests: { max_retries: 1, ...requests },
    tally,
    reporter: { warn: (line) => lines.push(line) },
  });
  const options = { temperature: 0, max_new_tokens: 9, timeout_ms: 5000 };
  const texts = Array.from({ length: questions }, (_, i) => `question ${i}`);
  const replies = await runPool(
    texts,
    (content): Promise<Completion | Error> =>
      model.complete([{ role: "user", content }], options).catch((error: Error) => error),
    {
      concurrency: requests.max_concurrency ?? defaultConcurrency(model),
      signal: new AbortController().signal,
    },
  );
  return {
    ...{ lines, tally, model },
    replies: replies.map((reply) => (reply instanceof Error ? reply : reply.text)),
  };
}

const echo: Reply = (text) => `re: ${text}`;
const all = (count = 40): string[] => Array.from({ length: count }, (_, i) => `re: question ${i}`);
const slowly =
  (ms: number): Reply =>
  async (text) => {
    await wait(ms);
    return `re: ${text}`;
  };
const asked = ({ requests }: OpenAiServer): string[] =>
  requests.map(({ body }) => body?.messages.at(-1)?.content ?? "");
const answered = ({ requests }: OpenAiServer): number => requests.filter(({ finishedAt }) => finishedAt).length;

test("requests are shared out, evenly and no more at once to one server than its share", async () => {
  const [a, b] = [await serve(slowly(20)), await serve(slowly(20))];
  const { replies, lines } = await ask([a.url, b.url], { max_concurrency: 6 });
  expect(replies).toEqual(all());
  expect(a.requests.length).toBeGreaterThanOrEqual(15);
  expect(b.requests.length).toBeGreaterThanOrEqual(15);
  expect([a.most(), b.most()]).toEqual([3, 3]);
  expect(lines).toEqual([]);
  // Twice as many servers take twice as many at once.
  expect(defaultConcurrency((await ask([a.url, b.url], { questions: 1 })).model)).toBe(16);
});

test("a slow server gets fewer", async () => {
  const [slow, quick] = [await serve(slowly(400)), await serve(slowly(10))];
  const { replies } = await ask([slow.url, quick.url], { max_concurrency: 4 });
  expect(replies).toEqual(all());
  expect(slow.requests.length).toBeLessThan(15);
  expect(slow.requests.length).toBeGreaterThan(0);
});

test("one that dies in the middle is left out with one line, and no reply that arrived is asked for again", async () => {
  const [mortal, other] = [await serve(slowly(15)), await serve(slowly(15))];
  const dying = (async () => {
    while (answered(mortal) < 5) await wait(2);
    await mortal.close();
  })();
  const { replies, lines, tally } = await ask([mortal.url, other.url], { max_concurrency: 6 });
  await dying;
  expect(replies).toEqual(all());
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/no connection.*left out and is tried again after 10 s; 1 of 2 servers go on/);
  // What was on its way to the dead one alone was sent twice.
  const twice = asked(mortal).filter((text) => asked(other).includes(text));
  expect(twice.length).toBeLessThanOrEqual(3);
  expect(asked(other)).toHaveLength(new Set(asked(other)).size);
  expect(tally.counts.tried_again.connection).toBeGreaterThan(0);
});

test("one that fails again and again is left out; a single failure goes on elsewhere without a line", async () => {
  const [broken, sound] = [await serve(() => failing(500)), await serve(echo)];
  const { replies, lines } = await ask([broken.url, sound.url], { max_concurrency: 4 });
  expect(replies).toEqual(all());
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/500 not today/);
  expect(broken.requests.length).toBeLessThan(6);

  const once = await serve((text, index) => (index === 0 ? failing(503) : `re: ${text}`));
  const second = await ask([once.url, sound.url], { max_concurrency: 2 });
  expect(second.replies).toEqual(all());
  expect(second.lines).toEqual([]);
  expect(once.requests.length).toBeGreaterThan(2);
});

test("one that is asked too much rests as long as it says, in silence", async () => {
  const [busy, idle] = [await serve(() => failing(429, { headers: { "retry-after": "30" } })), await serve(slowly(5))];
  const start = performance.now();
  const { replies, lines, tally } = await ask([busy.url, idle.url], { max_concurrency: 4 });
  expect(replies).toEqual(all());
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(busy.requests.length).toBeLessThanOrEqual(2);
  expect(lines).toEqual([]);
  expect(tally.counts.tried_again.rate_limit).toBe(busy.requests.length);
});

test("what is refused because of the request itself is not sent elsewhere", async () => {
  const refuse: Reply = (text) => (text === "question 3" ? failing(400) : `re: ${text}`);
  const [a, b] = [await serve(refuse), await serve(refuse)];
  const { replies } = await ask([a.url, b.url]);
  const refused = replies[3] as CompletionError;
  expect(refused).toBeInstanceOf(CompletionError);
  expect(refused.kind).toBe("rejected");
  expect([...asked(a), ...asked(b)].filter((text) => text === "question 3")).toHaveLength(1);
  expect(replies.filter((reply) => typeof reply === "string")).toHaveLength(39);
});

test("a key that one server refuses leaves that one out; one that all refuse is the user's to mend, and no line holds it", async () => {
  const [strict, open] = [await serve(echo, "another-key"), await serve(echo)];
  const { replies, lines } = await ask([strict.url, open.url]);
  expect(replies).toEqual(all());
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/refused the key \(HTTP 401\).*left out for good; 1 of 2/);
  const strictToo = await serve(echo, "another-key");
  const none = await ask([strict.url, strictToo.url]);
  expect(none.replies.every((reply) => reply instanceof UserError)).toBe(true);
  expect(JSON.stringify([lines, none.lines, none.replies.map(String)])).not.toContain("sk-secret");
});

test("each server may have a key of its own", async () => {
  const [a, b] = [await serve(echo, "key-a-123456"), await serve(echo, "key-b-123456")];
  expect((await ask([a.url, b.url], { key: "key-a-123456, key-b-123456" })).replies).toEqual(all());
  await expect(ask([a.url, b.url], { key: "key-a-123456,key-b-123456,key-c-1" })).rejects.toThrow(
    /^OPENAI_API_KEY holds 3 keys, and OPENAI_BASE_URL 2 addresses\. Give one key for all/,
  );
});

test("where all are dead, the failure is that of one, after the retries", async () => {
  const [a, b] = [await serve(echo), await serve(echo)];
  await a.close();
  await b.close();
  const { replies, lines } = await ask([a.url, b.url], { questions: 3 });
  expect(replies.map((reply) => (reply as CompletionError).kind)).toEqual(["connection", "connection", "connection"]);
  expect(lines.length).toBeLessThanOrEqual(2);
});

test("embeddings, too, go on elsewhere", async () => {
  const embed = ({ input }: { input: string[] }) => input.map((text) => [text.length]);
  const dead = await startOpenAiServer({ reply: () => "", embed });
  const alive = await startOpenAiServer({ reply: () => "", embed });
  servers.push(dead, alive);
  await dead.close();
  const lines: string[] = [];
  const model = openEmbeddingModel("text-embedding-x", {
    env: { OPENAI_BASE_URL: `${dead.url},${alive.url}`, OPENAI_API_KEY: "k" },
    reporter: { warn: (line) => lines.push(line) },
  });
  expect(await model.embed(["a", "bbb"])).toEqual([[1], [3]]);
  expect(lines).toHaveLength(1);
});

test("a server that was left out is tried by one request when its rest is over, rests longer when it fails, and is back when it answers", async () => {
  let now = 0;
  const lines: string[] = [];
  const [a, b] = ["A", "B"].map((where) => ({ where }) as Server) as [Server, Server];
  const clock = { now: () => now, sleep: async () => {} };
  const endpoints = createEndpoints([a, b], { clock, warn: (line) => lines.push(line) });
  let dead = true;
  const hits: string[] = [];
  const attempt = async (): Promise<string> => {
    const tried: Tried = new Set();
    for (;;) {
      try {
        return await endpoints.attempt(tried, async ({ where }) => {
          hits.push(where);
          await wait(1);
          if (where === "A" && dead) throw new CompletionError("A is dead.", { kind: "connection", retry: {} });
          return where;
        });
      } catch (error) {
        if (!(error instanceof CompletionError) || !error.retry?.elsewhere) throw error;
      }
    }
  };
  const many = (): Promise<string[]> => Promise.all(Array.from({ length: 6 }, attempt));
  const hitsOfA = (): number => hits.splice(0).filter((where) => where === "A").length;
  expect(await many()).toEqual(Array(6).fill("B"));
  expect(hitsOfA()).toBe(3);
  now = 9_000;
  await many();
  expect(hitsOfA()).toBe(0);
  now = 10_000;
  await many();
  expect(hitsOfA()).toBe(1);
  now = 29_000;
  await many();
  expect(hitsOfA()).toBe(0);
  dead = false;
  now = 30_000;
  expect((await many()).filter((where) => where === "A")).toHaveLength(1);
  expect((await many()).filter((where) => where === "A")).toHaveLength(3);
  expect(lines).toEqual([
    "A is dead. It is left out and is tried again after 10 s; 1 of 2 servers go on with its requests.",
    "A answers again.",
  ]);
});

test("the first address stands for all in keys of what they made", () => {
  expect(serverIdentity({ OPENAI_BASE_URL: "http://a/v1, http://b/v1" })).toBe("http://a/v1");
  expect(serverIdentity({ OPENAI_BASE_URL: "http://a/v1" })).toBe("http://a/v1");
  expect(serverIdentity({})).toBe("");
});
