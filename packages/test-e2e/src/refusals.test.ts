import { rm } from "node:fs/promises";
import { createDocument, predictionSchema, readJsonl, writeJsonl } from "@rag-ft/core";
import type { Completion } from "@rag-ft/llm";
import { startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testE2e } from "./index.js";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts, type SmallTest } from "./testing/small-test.js";

let small: SmallTest;
beforeEach(async () => {
  small = await createSmallTest();
});
afterEach(() => rm(small.path("."), { recursive: true, force: true }));

const said = (text: string): Completion => ({ text, finish_reason: "stop" });

test("each question is asked once more without its gold passage: four outcomes, worked out by hand", async () => {
  const parts = fakeParts((prompt) => {
    // Right with its passage; refuses without it.
    if (prompt.includes("Which cars"))
      return said(prompt.includes("red cars stop") ? "Red cars stop." : "The documentation does not say.");
    // Refuses always.
    if (prompt.includes("floats")) return said("I'm sorry, but the passages do not mention it.");
    return said("no idea at all");
  });
  const { figures, summary } = await runTestE2e(small.settingsOf({ no_answer_eval: "true" }), small.contextOf(), parts);
  expect(figures).toMatchObject({
    "test_gen/answered_rightly": (0.5 + 0 + 0) / 3,
    "test_gen/refused_rightly": (0.5 + 0.5 + 0) / 3,
    "test_gen/answered_wrongly": (0 + 0 + 1) / 3,
    "test_gen/refused_wrongly": (0 + 0.5 + 0) / 3,
    "test_gen/refused_without_gold": 2 / 3,
    "test_gen/refused_with_gold": 1 / 3,
    "test_gen/no_answer_failed": 0,
  });
  expect(await small.json("out/score.json")).toHaveProperty(["test_gen/refused_rightly_ci95"]);
  expect(summary?.split("\n")[0]).toMatch(
    /F1 +words +from passages +answered rightly +refused rightly +answered wrongly +refused wrongly/,
  );
  const rows = await readJsonl(small.path("out/test-predictions.jsonl"), predictionSchema, { what: "predictions" });
  expect(rows.map(({ refused }) => refused)).toEqual([false, true, false]);
  expect(rows[0]).toMatchObject({
    without_gold: { generated_answer: "The documentation does not say.", refused: true, finish_reason: "stop" },
  });
  for (const [i, row] of rows.entries()) {
    const { retrieved_docs } = row.without_gold as { retrieved_docs: unknown[] };
    expect(retrieved_docs).toHaveLength(2);
    expect(retrieved_docs).not.toContainEqual(small.rows[i]?.gold_docs[0]);
  }
  // Prompts of all kinds, each once; the second run asks nothing.
  expect(parts.asked).toHaveLength(6);
  const again = fakeParts(() => said("not asked"));
  expect((await runTestE2e(small.settingsOf({ no_answer_eval: "true" }), small.contextOf(), again)).figures).toEqual(
    figures,
  );
  expect(again.asked).toHaveLength(0);
});

test("without the setting nothing is asked twice, and no figure speaks of refusals", async () => {
  const parts = fakeParts(() => said("The documentation does not say."));
  const { figures = {} } = await runTestE2e(small.settingsOf(), small.contextOf(), parts);
  expect(parts.asked).toHaveLength(3);
  expect(Object.keys(figures).join()).not.toMatch(/refused|answered/);
});

test("the sentence is that of the flag, of the domain config, or of the model; the passages that a short prompt lost count", async () => {
  const fugen = "Dazu sagt die Dokumentation nichts.";
  const refusalsOf = async (values: Record<string, string>, saved?: string): Promise<unknown> => {
    const parts = fakeParts(() => said(fugen));
    const open = parts.openGenerator;
    const opened = async (...given: Parameters<typeof open>) => {
      const { generator, format } = await open(...given);
      return { generator, format: saved === undefined ? format : { ...format, no_answer_text: saved } };
    };
    const settings = small.settingsOf({ no_answer_eval: "true", ...values });
    const { figures } = await runTestE2e(settings, small.contextOf(), { ...parts, openGenerator: opened });
    return figures?.["test_gen/refused_without_gold"];
  };
  expect(await refusalsOf({})).toBe(0);
  expect(await refusalsOf({ no_answer_text: fugen })).toBe(1);
  expect(await refusalsOf({}, fugen)).toBe(1);
  await writeJsonl(small.path("domain.yaml"), [
    {
      name: "d",
      no_answer_text: fugen,
      question_prompt: { instruction: "q" },
      answer_prompt: { instruction: "a" },
    },
  ]);
  expect(await refusalsOf({ config: small.path("domain.yaml") })).toBe(1);
});

test("near-duplicates of the gold passage are left out with it, and a question that has no other passage says so", async () => {
  const copies = [0, 1, 2].map((i) => createDocument("red cars stop", { source: `https://docs.test/copy-${i}` }));
  await writeJsonl(small.path("documents.jsonl"), [small.documents[0], ...copies]);
  await writeJsonl(small.path("test_w_qa.jsonl"), [small.rows[0]]);
  const { summary, figures } = await runTestE2e(
    small.settingsOf({ no_answer_eval: "true" }),
    small.contextOf(),
    fakeParts(() => said("Not known.")),
  );
  expect(summary).toContain("1 of 1 questions without their gold passages had no other passage in their prompt.");
  expect(figures).toMatchObject({ "test_gen/no_answer_without_passages": 1, "test_gen/answered_wrongly": 1 });
});

test("a judge says which answers are right, and of those without a known phrase which refuse", async () => {
  const sent: string[] = [];
  const server = await startOpenAiServer({
    reply: ({ messages }) => {
      const content = messages.at(-1)?.content ?? "";
      sent.push(content);
      if (content.includes("<reply>"))
        return JSON.stringify({ explanation: "So.", verdict: content.includes("no idea") ? "refused" : "answered" });
      return JSON.stringify({ explanation: "So.", verdict: content.includes("boats") ? "correct" : "incorrect" });
    },
  });
  try {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-test" };
    const settings = small.settingsOf({ no_answer_eval: "true", gen_gpt4eval: "true", judge_model: "judge-1" });
    const parts = fakeParts((prompt) =>
      said(prompt.includes("floats") ? "Ships do." : prompt.includes("Which") ? "I don't know." : "no idea"),
    );
    const plan = await testE2e.plan?.(settings, { ...small.contextOf(env), planned: new Map() });
    expect(plan?.requests.map(({ purpose, requests }) => [purpose, requests])).toEqual([
      ["answers", 6],
      ["judge", 3],
      ["refusals", 6],
    ]);
    const { figures } = await runTestE2e(settings, small.contextOf(env), parts);
    expect(figures).toMatchObject({
      // "Ships do." has no word of the gold answer; the judge sees the passage.
      "test_gen/answered_rightly": 0.5 / 3,
      "test_gen/answered_wrongly": 0.5 / 3,
      "test_gen/refused_rightly": 1 / 3,
      "test_gen/refused_wrongly": 1 / 3,
    });
    expect(sent.filter((content) => content.includes("<reply>"))).toHaveLength(4 - 2);
    const count = server.requests.length;
    await runTestE2e(settings, small.contextOf(env), parts);
    expect(server.requests).toHaveLength(count);
  } finally {
    await server.close();
  }
});

test("with compare_base every combination that searches has them, and a dry run counts all answers", async () => {
  const settings = small.settingsOf({
    compare_base: "true",
    no_answer_eval: "true",
    embedding_model_name_or_path: "tuned-words",
    base_embedding_model_name_or_path: "base-words",
    qa_model_name_or_path: "gpt-x",
    base_qa_model_name_or_path: "gpt-x",
  });
  const plan = await testE2e.plan?.(settings, { ...small.contextOf(), planned: new Map() });
  // None, base, tuned and gold passages; base and tuned once more.
  expect(plan?.requests).toMatchObject([{ purpose: "answers", requests: 3 * (4 + 2) }]);
  const { summary } = await runTestE2e(
    settings,
    small.contextOf(),
    fakeParts(() => said("I do not know.")),
  );
  const score = async (cell: string) => Object.keys(await small.json(`out/cells/${cell}/score.json`)).join();
  expect(await score("base-retriever_tuned-generator")).toContain("test_gen/refused_rightly");
  expect(await score("gold-passages_tuned-generator")).not.toContain("refused");
  expect(summary).toMatch(/answered rightly +refused rightly/);
});
