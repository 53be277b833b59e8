import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readDomainConfig } from "./domain-config.js";
import { answerMessages, questionMessages } from "./prompts.js";

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

it("names file, line and key of what is wrong", async () => {
  const path = join(folder, "d.yaml");
  await writeFile(path, "name: x\nquestion_prompt: [\n");
  await expect(readDomainConfig(path)).rejects.toThrow(/d\.yaml:\d+: not valid YAML/);
  await writeFile(path, "name: x\nquestion_promt:\n  instruction: y\n");
  await expect(readDomainConfig(path)).rejects.toThrow(/question_promt/);
});
