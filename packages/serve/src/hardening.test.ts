import { mkdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "./testing/start-test-server.js";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(options?: TestServerOptions): Promise<TestServer> {
  server = await startTestServer(options);
  return server;
}

const QUESTION = { model: "rag-ft", messages: [{ role: "user", content: "Which boats float?" }] };

const post = (address: string, path: string, body: object): Promise<Response> =>
  fetch(`${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Sends a request and reads nothing of the reply. */
async function deaf(address: string, body: object): Promise<Socket> {
  const { hostname, port, host } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.pause();
  const text = JSON.stringify(body);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n`;
  await new Promise<void>((sent) => {
    socket.write(head + text, () => sent());
  });
  return socket;
}

it("answers 200 clients at once or tells them when to come back, and is as before when they are gone", async () => {
  let goOn = (): void => {};
  const full = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const reply = async (): Promise<string> => {
    await full;
    return "Blue ones.";
  };
  const { address } = await start({ settings: { concurrency: 4, max_queue: 60 }, model: { reply } });
  const replies = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const response = await post(address, "v1/chat/completions", { ...QUESTION, stream: i % 2 === 0 });
      const text = await response.text();
      if (response.status === 429) {
        goOn();
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
        expect(text).toContain("queue_full");
      } else expect(text).toContain("Blue");
      return response.status;
    }),
  );
  expect(new Set(replies)).toEqual(new Set([200, 429]));
  expect(replies.filter((reply) => reply === 200).length).toBeGreaterThanOrEqual(64);
  const metrics = await (await fetch(`${address}metrics`)).text();
  expect(metrics).toMatch(/^rag_ft_answers_waiting 0$/m);
  expect(metrics).toMatch(/^rag_ft_answers_running 0$/m);
  expect((await post(address, "v1/chat/completions", QUESTION)).status).toBe(200);
});

it("keeps nobody waiting for clients that never read", async () => {
  const long = `${"w".repeat(4000)} `.repeat(100);
  const { address, model } = await start({
    settings: { concurrency: 1 },
    model: { reply: ({ messages }) => (messages.at(-1)?.content === "long?" ? long : "short") },
  });
  const body = { model: "rag-ft", stream: true, messages: [{ role: "user", content: "long?" }] };
  const sockets = await Promise.all(Array.from({ length: 3 }, () => deaf(address, body)));
  await expect.poll(() => model.requests.length, { timeout: 20_000 }).toBeGreaterThan(0);
  const reply = await (await post(address, "v1/chat/completions", QUESTION)).json();
  expect(reply).toMatchObject({ choices: [{ message: { content: "short" } }] });
  for (const socket of sockets) socket.destroy();
});

it("gives an answer that cannot be kept with a warning, refuses a vote that cannot, and keeps both when it can again", async () => {
  const running = await start();
  const { address, turnsFile, warnings } = running;
  // What a full disk does at the same place: writing fails.
  await mkdir(turnsFile);
  const whole = (await (await post(address, "v1/chat/completions", { ...QUESTION, store: true })).json()) as {
    id: string;
  };
  expect(whole).toMatchObject({
    choices: [{ message: { content: "About: Which boats float?" } }],
    warnings: [expect.stringContaining("could not write it down (EISDIR)")],
  });
  const streamed = await (
    await post(address, "v1/chat/completions", { ...QUESTION, store: true, stream: true })
  ).text();
  expect(streamed).toContain("could not write it down");
  expect(streamed).toContain("[DONE]");
  const vote = await post(address, "v1/votes", { id: whole.id, vote: "up" });
  expect(vote.status).toBe(507);
  const told = await vote.text();
  expect(told).toContain("not_kept");
  expect(told).not.toContain(turnsFile);
  expect(warnings.join("\n")).toContain(turnsFile);
  await rm(turnsFile, { recursive: true });
  expect((await post(address, "v1/votes", { id: whole.id, vote: "up" })).status).toBe(200);
});

it("takes bodies that are cut off, nested without end or of the wrong kind for what they are", async () => {
  const { address } = await start();
  const sent = async (body: string, type = "application/json"): Promise<number> =>
    (await fetch(`${address}v1/search`, { method: "POST", headers: { "content-type": type }, body })).status;
  expect(await sent('{"query": "boats"')).toBe(400);
  expect(await sent("[".repeat(200_000))).toBe(400);
  expect(await sent('{"query": "boats", "__proto__": {"limit": 3}}')).toBe(400);
  expect(await sent('{"query": 7}')).toBe(400);
  expect(await sent("query=boats", "application/x-www-form-urlencoded")).toBe(415);
  expect(await sent('{"query": "boats"}')).toBe(200);
});
