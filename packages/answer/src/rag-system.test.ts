import { createDocument, defaultPromptFormat } from "@rag-ft/core";
import type { LanguageModel } from "@rag-ft/llm";
import { bm25Retriever } from "@rag-ft/retrieval";
import { expect, it } from "vitest";
import { promptGenerator } from "./generator.js";
import { type AnswerEvent, createRagSystem, type RagSystem } from "./rag-system.js";

const documents = ["red cars stop", "green cars go fast", "blue boats float"].map((text, i) =>
  createDocument(text, { source: `https://docs.test/${i}` }),
);

interface Fake {
  system: RagSystem;
  prompts: string[];
  stopped: () => boolean;
}

/** A model that says its words one after the other, each in a turn of the event loop. */
function fake(words: string[], max_tokens = 10_000): Fake {
  const prompts: string[] = [];
  let stopped = false;
  const model: LanguageModel = {
    name: "fake",
    provider: "local",
    complete: () => Promise.reject(new Error("a local generator takes raw prompts")),
    async generate(prompt, { onText, signal }) {
      prompts.push(prompt);
      for (const word of words) {
        await new Promise((resolve) => setImmediate(resolve));
        if (signal?.aborted) {
          stopped = true;
          throw new Error("stopped");
        }
        onText?.(word);
      }
      return { text: words.join(""), finish_reason: "stop" };
    },
    close: async () => {},
  };
  const budget = { count: (prompt: string) => prompt.length, max_tokens };
  const generator = promptGenerator(model, "id", defaultPromptFormat, budget, { max_new_tokens: 4, timeout_ms: 1000 });
  const system = createRagSystem({ retriever: bm25Retriever(documents), generator, limit: 2 });
  return { system, prompts, stopped: () => stopped };
}

it("finds passages, and answers from them", async () => {
  const { system, prompts } = fake(["They ", "go."]);
  const found = await system.search("green cars");
  expect(found.map(({ id }) => id)).toEqual([1, 0]);
  expect(found[0]?.score).toBeGreaterThan(found[1]?.score as number);
  expect(await system.search("boats", { limit: 1 })).toMatchObject([{ document: documents[2], id: 2 }]);
  const answer = await system.ask("green cars?", { history: [{ speaker: "user", message: "Hello." }] });
  expect(answer).toMatchObject({ text: "They go.", finish_reason: "stop", dropped_passages: 0 });
  expect(answer.passages.map(({ id }) => id)).toEqual([1, 0]);
  expect(prompts[0]).toContain("green cars go fast");
  expect(prompts[0]?.indexOf("Hello.")).toBeLessThan(prompts[0]?.indexOf("green cars?") as number);
});

it("searches by the dialogue's last user turns too, and not by its answers", async () => {
  const { system } = fake(["x"]);
  const history = [
    { speaker: "user", message: "Tell me of boats." },
    { speaker: "assistant", message: "Red red red cars stop." },
  ];
  const ids = async (more: object): Promise<number[]> =>
    (await system.ask("And those?", { limit: 1, ...more })).passages.map(({ id }) => id);
  expect(await ids({ history })).toEqual([2]);
  // BM25 finds nothing where no word is known.
  expect(await ids({})).toEqual([]);
});

it("pages, and searches and answers from the passages that fit a filter", async () => {
  const { system, prompts } = fake(["x"]);
  expect((await system.search("green cars", { limit: 1, offset: 1 })).map(({ id }) => id)).toEqual([0]);
  const filter = { source: "https://docs.test/0" };
  expect((await system.search("green cars", { filter })).map(({ id }) => id)).toEqual([0]);
  expect((await system.ask("green cars?", { filter })).passages.map(({ id }) => id)).toEqual([0]);
  expect(prompts[0]).not.toContain("green cars go fast");
});

it("names only the passages that the prompt had room for", async () => {
  const whole = fake(["x"]);
  await whole.system.ask("cars");
  const narrow = fake(["x"], (whole.prompts[0] as string).length + 3);
  const answer = await narrow.system.ask("cars");
  expect(answer.dropped_passages).toBe(1);
  expect(answer.passages).toHaveLength(1);
  for await (const event of narrow.system.stream("cars")) {
    if (event.type === "passages") expect(event.passages).toEqual(answer.passages);
  }
});

it("goes on with a dialogue that has become too long for the prompt, without its oldest turns", async () => {
  const { system, prompts } = fake(["x"], 700);
  const history = Array.from({ length: 40 }, (_, i) => ({
    speaker: i % 2 === 0 ? "user" : "assistant",
    message: `Turn ${i} about green cars, with more words.`,
  }));
  const answer = await system.ask("green cars?", { history });
  expect(prompts[0]?.length).toBeLessThan(700);
  expect(prompts[0]).toContain("green cars go fast");
  expect(prompts[0]).toContain("Turn 39 ");
  expect(prompts[0]).not.toContain("Turn 0 ");
  expect(answer).toMatchObject({ dropped_passages: 1 });
  expect(answer.passages).toHaveLength(1);
  expect(answer.dropped_turns).toBeGreaterThan(0);
  expect(prompts[0]).toContain(`Turn ${answer.dropped_turns} `);
});

it("streams passages, text and answer", async () => {
  const { system } = fake(["They ", "go."]);
  const events: AnswerEvent[] = [];
  for await (const event of system.stream("green cars")) events.push(event);
  expect(events.map(({ type }) => type)).toEqual(["passages", "text", "text", "answer"]);
  expect(events.flatMap((event) => (event.type === "text" ? event.text : [])).join("")).toBe("They go.");
  expect(events.at(-1)).toMatchObject({ answer: { text: "They go.", finish_reason: "stop" } });
});

it("stops the generator when the reader leaves", async () => {
  const { system, stopped } = fake(Array.from({ length: 50 }, () => "x"));
  for await (const event of system.stream("green cars")) if (event.type === "text") break;
  expect(stopped()).toBe(true);
});
