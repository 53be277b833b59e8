import { rm } from "node:fs/promises";
import { predictionSchema, readJsonl, writeJsonl } from "@rag-ft/core";
import type { Completion } from "@rag-ft/llm";
import { startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testE2e } from "./index.js";
import { defaultParts } from "./parts.js";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts, type SmallTest } from "./testing/small-test.js";

let small: SmallTest;
beforeEach(async () => {
  small = await createSmallTest();
});
afterEach(() => rm(small.path("."), { recursive: true, force: true }));

const said = (text: string): Completion => ({ text, finish_reason: "stop" });

test("how much of an answer stands in the passages is always measured; a refusal is neither faithful nor not", async () => {
  const parts = fakeParts((prompt) => {
    if (prompt.includes("Which cars")) return said("Red cars stop. They never fly.");
    return said(prompt.includes("floats") ? "blue boats float" : "The documentation does not say.");
  });
  const { figures = {} } = await runTestE2e(small.settingsOf(), small.contextOf(), parts);
  expect(figures).toMatchObject({
    "test_gen/faithful_words": (3 / 6 + 1) / 2,
    "test_gen/faithful_sentences": (1 / 2 + 1) / 2,
  });
  expect(Object.keys(figures).join()).not.toMatch(/cite|citation|gpt4/);
});

test("a generator that cites is asked with numbers, its citations are checked, and no figure of words counts them", async () => {
  const rows = small.rows.map((row, i) =>
    i === 0 ? { ...row, gold_answer: "The red cars stop [1].", citations: true } : row,
  );
  await writeJsonl(small.path("test_w_qa.jsonl"), rows);
  const asked: string[] = [];
  const server = await startOpenAiServer({
    reply: ({ messages }) => {
      const prompt = messages[0]?.content ?? "";
      const question = messages.at(-1)?.content ?? "";
      asked.push(prompt);
      const place = (text: string): string => /\[(\d)\][^[]*$/.exec(prompt.slice(0, prompt.indexOf(text)))?.[1] ?? "";
      if (question.includes("Which cars")) return `The red cars stop [${place("red cars stop")}].`;
      return question.includes("floats") ? `blue boats [9]` : "Nobody knows.";
    },
  });
  try {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-test" };
    const parts = { ...fakeParts(() => said("")), openGenerator: defaultParts.openGenerator };
    const { figures } = await runTestE2e(small.settingsOf({ citations: "true" }), small.contextOf(env), parts);
    expect(figures).toMatchObject({
      "test_gen/cites": 1 / 3,
      "test_gen/citation_precision": (1 + 0) / 2,
      "test_gen/invalid_citations": (0 + 1) / 2,
      "test_gen/exact_match": 2 / 3,
      "test_gen/answer_length": (4 + 2 + 2) / 3,
    });
    expect(asked[0]).toMatch(/cite the passages .*\n\n\[1\] Source: [^[]+\[2\] Source: [^[]+\[3\] Source: /s);
    const found = await readJsonl(small.path("out/test-predictions.jsonl"), predictionSchema, { what: "predictions" });
    expect(found.map(({ citations }) => citations)).toEqual([
      [{ number: expect.any(Number), valid: true, right: true }],
      [{ number: 9, valid: false, right: false }],
      [],
    ]);
    expect(await small.json("out/all_args.json")).toMatchObject({
      citations: true,
      prompt_format: { citations: true },
    });
  } finally {
    await server.close();
  }
});

test("a judge says which answers keep to their passages: counted, planned, kept, with a record of its own", async () => {
  const server = await startOpenAiServer({
    reply: ({ messages }) => {
      const content = messages.at(-1)?.content ?? "";
      if (content.includes("floats")) return "It does.";
      return JSON.stringify({ explanation: "So.", verdict: content.includes("never fly") ? "unfaithful" : "faithful" });
    },
  });
  try {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-test" };
    const settings = small.settingsOf({
      judge_faithfulness: "true",
      judge_model: "judge-1",
      qa_model_name_or_path: "local:x",
    });
    const answers = ["Cars never fly.", "Boats float.", "Green cars go."];
    const parts = fakeParts((prompt) =>
      said(answers[prompt.includes("Which") ? 0 : prompt.includes("floats") ? 1 : 2] ?? ""),
    );
    const plan = await testE2e.plan?.(
      { ...settings, qa_model_name_or_path: "gpt-x" },
      { ...small.contextOf(env), planned: new Map() },
    );
    expect(plan?.requests.map(({ purpose, requests }) => [purpose, requests])).toEqual([
      ["answers", 3],
      ["faithfulness", 3],
    ]);
    const { figures = {}, summary } = await runTestE2e(settings, small.contextOf(env), parts);
    expect(figures).toMatchObject({ "test_gen/gpt4_faithful": 1 / 2 });
    expect(figures).not.toHaveProperty(["test_gen/gpt4_acc"]);
    expect(summary).toContain('without a verdict ("faithful" or "unfaithful")');
    expect(summary?.split("\n")[0]).toMatch(/ faithful /);
    const record = await small.json<Record<string, unknown>>("out/judge.json");
    expect(record).toMatchObject({
      judge_model: "judge-1",
      faithfulness: {
        verdicts: { faithful: 1, unfaithful: 1, unparsed: 1, failed: 0 },
        share: { value: 1 / 2 },
        prompt_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(record).not.toHaveProperty("verdicts");
    // Every prompt has all passages that the answer was made from.
    expect(
      server.requests
        .at(-1)
        ?.body?.messages.at(-1)
        ?.content.match(/<passage>/g),
    ).toHaveLength(3);
    const sent = server.requests.length;
    await runTestE2e(settings, small.contextOf(env), parts);
    expect(server.requests).toHaveLength(sent);
  } finally {
    await server.close();
  }
});
