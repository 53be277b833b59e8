import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createDocument,
  defaultPromptFormat,
  findCitations,
  readPromptFormat,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { loadTokenizer } from "@rag-ft/models";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeExamples } from "./examples.js";
import { trainGenerator } from "./index.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../data/models/${name}`, import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const passage = (name: string) => createDocument(`text of ${name}`, { source: name });
const gold = [passage("first"), passage("second")];
const retrieved = ["a", "b", "c"].map(passage);
const rows = Array.from({ length: 12 }, (_, i) => ({
  gold_docs: gold,
  hard_neg_docs: [],
  chat_history: [],
  question: `Question ${i}?`,
  gold_answer: "So it is [2]. And so [1].",
  citations: true,
  line: i + 1,
}));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-cited-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("a citation has the number of its passage in the prompt, wherever that stands", async () => {
  const tokenizer = await loadTokenizer(model("tiny-decoder"));
  const how = { tokenizer, maxTokens: 600, maxRetrieved: 4, seed: 5 };
  const examplesOf = (citations: boolean) =>
    makeExamples(
      rows.map((row) => ({ row, retrieved })),
      { ...how, format: { ...defaultPromptFormat, citations } },
      "test",
      silentReporter,
    );
  const places = new Set<string>();
  for (const { prompt, answer } of examplesOf(true)) {
    const text = tokenizer.decode(prompt);
    const said = findCitations(tokenizer.decode(answer)).flatMap(({ numbers }) => numbers);
    const numbered = [...text.matchAll(/\[(\d)\] Source: (\w+)/g)].map(([, number, source]) => [
      source,
      Number(number),
    ]);
    expect(numbered.map(([, number]) => number)).toEqual([1, 2, 3, 4, 5]);
    const place = Object.fromEntries(numbered);
    expect(said).toEqual([place.second, place.first]);
    places.add(said.join());
  }
  expect(places.size).toBeGreaterThan(3);
  // Prompts without numbers have no use for citations.
  const [plain] = examplesOf(false);
  expect(tokenizer.decode(plain?.answer ?? [])).toBe("So it is. And so.</s>");
  expect(tokenizer.decode(plain?.prompt ?? [])).not.toContain("[1]");
});

it("is learned where the answers have citations, kept with the model, and refused where they have none", async () => {
  const at = (name: string): string => join(folder, name);
  await writeJsonl(at("documents.jsonl"), [...gold, ...retrieved]);
  await writeJsonl(at("train_w_qa.jsonl"), rows);
  await writeJsonl(
    at("plain_w_qa.jsonl"),
    rows.map(({ citations: _, ...row }) => row),
  );
  const train = async (output: string, values: Record<string, unknown>) => {
    const settings = trainGenerator.settings.parse({
      model_name_or_path: model("tiny-decoder"),
      embedding_model: "none",
      retrieval: "bm25",
      full_dataset_file_path: at("documents.jsonl"),
      train_file: at("train_w_qa.jsonl"),
      eval_file: at("train_w_qa.jsonl"),
      output_dir: at(output),
      max_steps: 1,
      do_eval: false,
      ...values,
    });
    await trainGenerator.run(settings, context);
    return readPromptFormat(at(output));
  };
  expect(await train("cites", {})).toMatchObject({ citations: true });
  expect(await train("told", { citations: "false" })).toMatchObject({ citations: false });
  await expect(train("none", { citations: "true", train_file: at("plain_w_qa.jsonl") })).rejects.toThrow(
    /no answer of .*plain_w_qa\.jsonl has citations\. Make answers with gen-answers --citations true/,
  );
}, 60_000);
