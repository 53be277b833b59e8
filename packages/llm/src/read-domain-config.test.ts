import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { answerMessages, promptHash, questionMessages } from "./prompts.js";
import { readDomainConfig } from "./read-domain-config.js";

const shipped = (name: string) => fileURLToPath(new URL(`../../../configs/domains/${name}.yaml`, import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "domain-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("the built-in config is the one that configs/domains/default.yaml shows", async () => {
  expect(await readDomainConfig(shipped("default"))).toEqual(await readDomainConfig());
});

it("the Databricks config has three worked passages and the URL weights", async () => {
  const domain = await readDomainConfig(shipped("databricks"));
  expect(domain.question_prompt.examples.map((example) => example.questions.length)).toEqual([2, 2, 2]);
  expect(domain.passage_filter).toEqual({
    min_words: 51,
    url_weights: [
      { contains: "migration-notes/", weight: 0.15 },
      { contains: "release-notes/runtime", weight: 0.01 },
      { contains: "sql/language-manual", weight: 0.3 },
    ],
  });
  const passage = createDocument("The gate opens.", { source: "s" });
  const roles = ["system", "user", "assistant", "user", "assistant", "user", "assistant", "user"];
  expect(questionMessages(domain, passage).map((message) => message.role)).toEqual(roles);
  expect(answerMessages(domain, [passage], "When?").at(-1)?.content).toBe(
    "Passage:\nSource: s\nContent:\nThe gate opens.\n\nQuestion: When?\nAnswer:",
  );
});

it("a prompt has a version of its own, and texts with braces go in as they are", async () => {
  const domain = await readDomainConfig();
  const other = { ...domain.question_prompt, template: "Read {passage} and ask:" };
  expect(promptHash(domain.question_prompt)).toMatch(/^[0-9a-f]{12}$/);
  expect(promptHash(other)).not.toBe(promptHash(domain.question_prompt));
  expect(promptHash(structuredClone(domain.question_prompt))).toBe(promptHash(domain.question_prompt));
  const passage = createDocument("Use {question} and $& here.", { source: "s" });
  expect(answerMessages(domain, [passage], "Why {passage}?").at(-1)?.content).toContain(
    "Use {question} and $& here.\n\nQuestion: Why {passage}?\nAnswer:",
  );
});

it("names file, line and key of what is wrong", async () => {
  const path = join(folder, "d.yaml");
  await writeFile(path, "name: x\nquestion_prompt: [\n");
  await expect(readDomainConfig(path)).rejects.toThrow(/d\.yaml:\d+: not valid YAML/);
  const prompts = "question_prompt: { instruction: a, template: 'no passage' }\nanswer_prompt: { instruction: b }";
  await writeFile(path, `name: x\n${prompts}\n`);
  await expect(readDomainConfig(path)).rejects.toThrow(/question_prompt\.template: a template holds \{passage\}/);
  await writeFile(path, "name: x\nquestion_promt:\n  instruction: y\n");
  await expect(readDomainConfig(path)).rejects.toThrow(/question_promt/);
});

it("an answer's prompt has the dialogue first, where there is one", async () => {
  const domain = await readDomainConfig();
  const passage = createDocument("The gate opens.", { source: "s" });
  const plain = answerMessages(domain, [passage], "And when?");
  expect(answerMessages(domain, [passage], "And when?", { history: [] })).toEqual(plain);
  const history = [
    { speaker: "User", message: "What is it?" },
    { speaker: "Assistant", message: "A flag." },
  ];
  const messages = answerMessages(domain, [passage], "And when?", { history });
  expect(messages.at(-1)?.content).toBe(`Dialogue:\nUser: What is it?\nSystem: A flag.\n\n${plain.at(-1)?.content}`);
  expect(messages[0]?.content).toMatch(/last turn of a dialogue/);
  expect(messages.slice(1, -1)).toEqual(plain.slice(1, -1));
});
