import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, readQa, silentReporter, writeJsonl } from "@rag-ft/core";
import { startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { genAnswersSettings } from "./settings.js";
import { genAnswers } from "./stage.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gen-answers-cited-"));
  await writeJsonl(join(folder, "train_w_q.jsonl"), [
    {
      gold_docs: [1, 2].map((i) =>
        createDocument(`The gate ${i} opens at hour ${i} of the day.`, { source: `s/${i}` }),
      ),
      hard_neg_docs: [],
      chat_history: [],
      questions: ["When do the gates open?", "Which gate opens first?", "Who opens the gates?"],
    },
  ]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const answer = (values: Record<string, unknown>, url = "") => {
  const settings = genAnswersSettings.parse({ dataset_w_q: join(folder, "train_w_q.jsonl"), ...values });
  const { signal } = new AbortController();
  return genAnswers.run(settings, { reporter: silentReporter, signal, env: { OPENAI_BASE_URL: url } });
};
const rowsOf = () => readQa(join(folder, "train_w_qa.jsonl"), silentReporter);

it("passages are numbered and answers cite them; numbers of no passage go, and what cites none is counted", async () => {
  const server = await startOpenAiServer({
    reply: ({ messages }) => {
      const asked = messages.at(-1)?.content ?? "";
      if (asked.includes("Who")) return "Not in the passage. [1]";
      return asked.includes("first") ? "Gate 1 does." : "Gate 1 opens at hour 1 [1]. Gate 2 opens at hour 2 [2][7].";
    },
  });
  try {
    const { figures, summary } = await answer({ prompt_model: "gpt-test", citations: "true" }, server.url);
    expect((await rowsOf()).map(({ gold_answer, citations }) => [gold_answer, citations])).toEqual([
      ["Gate 1 opens at hour 1 [1]. Gate 2 opens at hour 2 [2].", true],
      ["Gate 1 does.", true],
    ]);
    expect(figures).toMatchObject({ answered: 2, cited: 1, not_in_passage: 1 });
    expect(summary).toContain("1 of 2 answers have no citation, and are kept.");
    const [system, user] = server.requests.at(-1)?.body?.messages ?? [];
    expect(system?.content).toContain("End each sentence of the answer with the number of the passage");
    expect(user?.content).toMatch(/\[1\] Source: s\/1\n[\s\S]+\n\n\[2\] Source: s\/2\n/);
    // Without citations nothing speaks of them.
    await answer({ prompt_model: "gpt-test" }, server.url);
    const plain = server.requests.at(-1)?.body?.messages ?? [];
    expect(plain.map(({ content }) => content).join()).not.toMatch(/\[1\]|square brackets/);
    expect((await rowsOf())[0]).not.toHaveProperty("citations");
  } finally {
    await server.close();
  }
});

it("a worked example of the domain cites its passage, but where it holds no answer", async () => {
  const { answerMessages, readDomainConfig } = await import("@rag-ft/llm");
  const domain = await readDomainConfig(undefined);
  const example = { passage: "A file sets it.", question: "What sets it?", answer: "A file." };
  const examples = [example, { ...example, answer: "Not in the passage." }];
  const taught = { ...domain, answer_prompt: { ...domain.answer_prompt, examples } };
  const passages = [createDocument("x", { source: "s" })];
  const said = (citations: boolean) =>
    answerMessages(taught, passages, "q", { citations }).flatMap(({ role, content }) =>
      role === "assistant" ? content : [],
    );
  expect(said(true)).toEqual(["A file [1].", "Not in the passage."]);
  expect(said(false)).toEqual(["A file.", "Not in the passage."]);
});

it("rules cite the passage that their sentence stands in", async () => {
  await answer({ prompt_model: "extractive", citations: "true" });
  expect((await rowsOf()).map(({ gold_answer }) => gold_answer)).toContainEqual(
    expect.stringMatching(/^The gate 1 opens at hour 1 of the day\. \[1\]$/),
  );
  expect(await readFile(join(folder, "train_w_a.jsonl"), "utf8")).toContain('"citations":true');
});
