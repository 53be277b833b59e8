import { setImmediate as others } from "node:timers/promises";
import type { RagSystem } from "@rag-ft/answer";
import { expect, it } from "vitest";
import { AnswerQueue, QueueFull } from "./answer-queue.js";
import { answerInTurn } from "./answers.js";

interface Row {
  queue: AnswerQueue;
  /** What happened, in order: a name with `s` searched, with `g` generates. */
  told: string[];
  ask(client: string, name: string, signal?: AbortSignal): Promise<void>;
  /** Ends an answer that is being made. */
  finish(name: string): Promise<void>;
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await others();
}

function row(concurrency: number, most = 100): Row {
  const queue = new AnswerQueue({ concurrency, most });
  const told: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    queue,
    told,
    ask: (client, name, signal = new AbortController().signal) =>
      queue.run(client, signal, async (turn) => {
        told.push(`${name}s`);
        await turn();
        told.push(`${name}g`);
        await new Promise<void>((end) => {
          ends.set(name, end);
        });
      }),
    async finish(name) {
      ends.get(name)?.();
      await settle();
    },
  };
}

it("searches for as many as come next while others are answered, and answers no more at once than there are places", async () => {
  const { queue, told, ask, finish } = row(2);
  const all = ["1", "2", "3", "4", "5", "6"].map((name) => ask("one", name));
  await settle();
  expect(told.filter((one) => one.endsWith("s"))).toEqual(["1s", "2s", "3s", "4s"]);
  expect(told.filter((one) => one.endsWith("g"))).toEqual(["1g", "2g"]);
  expect([queue.running, queue.waiting]).toEqual([2, 4]);
  await finish("2");
  expect(told.slice(-2).sort()).toEqual(["3g", "5s"]);
  expect([queue.running, queue.waiting]).toEqual([2, 3]);
  for (const name of ["1", "3", "4", "5", "6"]) await finish(name);
  await Promise.all(all);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

it("lets clients take turns: one of another client goes before those of who sent more", async () => {
  const { told, ask, finish } = row(1);
  const all = ["a1", "a2", "a3", "a4"].map((name) => ask("a", name));
  all.push(ask("b", "b1"));
  await settle();
  for (const name of ["a1", "a2", "b1", "a3", "a4"]) await finish(name);
  await Promise.all(all);
  expect(told.filter((one) => one.endsWith("g"))).toEqual(["a1g", "a2g", "b1g", "a3g", "a4g"]);
});

it("takes no more than may wait, those that have searched included", async () => {
  const { queue, ask, finish } = row(1, 2);
  const all = [ask("a", "1"), ask("a", "2"), ask("b", "3")];
  await settle();
  await expect(ask("c", "4")).rejects.toThrow(QueueFull);
  expect([queue.running, queue.waiting]).toEqual([1, 2]);
  for (const name of ["1", "2", "3"]) await finish(name);
  await Promise.all(all);
});

it("gives up one that has searched and is stopped before its turn, and its place in the row to the next", async () => {
  const { told, ask, finish } = row(1);
  const stop = new AbortController();
  const first = ask("a", "1");
  const stopped = ask("b", "2", stop.signal);
  const third = ask("c", "3");
  await settle();
  expect(told).toEqual(["1s", "2s", "1g"]);
  stop.abort(new Error("gone"));
  await expect(stopped).rejects.toThrow("gone");
  await settle();
  expect(told).toEqual(["1s", "2s", "1g", "3s"]);
  await finish("1");
  await finish("3");
  await Promise.all([first, third]);
  expect(told.at(-1)).toBe("3g");
});

it("frees the place of an answer that nobody reads, however long it is; it can be read later", async () => {
  const queue = new AnswerQueue({ concurrency: 1, most: 10 });
  const stream: RagSystem["stream"] = async function* () {
    yield { type: "passages", passages: [], query: "q" };
    for (let i = 0; i < 50_000; i++) yield { type: "text", text: "x".repeat(100) };
  };
  const asker = { client: "a", signal: new AbortController().signal };
  const unread = answerInTurn({ stream } as RagSystem, queue, { question: "q", history: [] }, asker);
  await queue.run("b", asker.signal, (turn) => turn());
  await settle();
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
  let events = 0;
  for await (const _ of unread) events++;
  expect(events).toBe(50_001);
});
