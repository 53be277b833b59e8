import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promptGenerator } from "@rag-ft/answer";
import { createDocument, defaultPromptFormat, type StageContext, silentReporter, writeJsonl } from "@rag-ft/core";
import type { Completion, LanguageModel } from "@rag-ft/llm";
import { createWordEncoder, type WordEncoder } from "@rag-ft/test-utils";
import { testE2e } from "../index.js";
import { defaultParts, type TestE2eParts } from "../parts.js";
import type { TestE2eSettings } from "../settings.js";

const documents = ["red cars stop", "green cars go", "blue boats float"].map((text, i) =>
  createDocument(text, { source: `https://docs.test/${i}` }),
);

/** Three questions over three passages, in a folder of their own. */
export interface SmallTest {
  documents: typeof documents;
  rows: { gold_docs: unknown[]; chat_history: []; question: string; gold_answer: string }[];
  lines: string[];
  path(name: string): string;
  json<T = Record<string, number>>(name: string): Promise<T>;
  contextOf(env?: Record<string, string>): StageContext;
  settingsOf(values?: Record<string, unknown>): TestE2eSettings;
}

export async function createSmallTest(): Promise<SmallTest> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-e2e-"));
  const path = (name: string): string => join(folder, name);
  const row = (question: string, gold: number, gold_answer: string) => ({
    gold_docs: [documents[gold]],
    hard_neg_docs: [],
    chat_history: [] as [],
    question,
    gold_answer,
  });
  const rows = [
    row("Which cars are red?", 0, "The red cars stop."),
    row("What floats, boats?", 2, "blue boats"),
    // Passages 0 and 1 share one word each with it: the tie goes to 0, the gold passage comes second.
    row("green, but not red?", 1, "stop now"),
  ];
  await writeJsonl(path("documents.jsonl"), documents);
  await writeJsonl(path("test_w_qa.jsonl"), rows);
  const lines: string[] = [];
  return {
    documents,
    rows,
    lines,
    path,
    json: async (name) => JSON.parse(await readFile(path(name), "utf8")),
    contextOf: (env = {}) => ({
      env,
      signal: new AbortController().signal,
      reporter: { ...silentReporter, info: (line) => lines.push(line), warn: (line) => lines.push(line) },
    }),
    settingsOf: (values = {}) =>
      testE2e.settings.parse({
        qa_model_name_or_path: "gpt-test",
        embedding_model_name_or_path: "words",
        document_path: path("documents.jsonl"),
        eval_data_path: path("test_w_qa.jsonl"),
        output_dir: path("out"),
        ...values,
      }),
  };
}

/** Parts of fake models. Names that are not told apart get the same model. */
export interface FakeParts extends TestE2eParts {
  /** Prompts that generators were asked, by name of the generator. */
  asked: { model: string; prompt: string }[];
  /** Encoders opened, in order; one that holds `base` knows but one word. */
  encoders: { name: string; encoder: WordEncoder }[];
  /** Generators opened and closed, in order. */
  generators: string[];
}

/** Local models that answer by a function of the prompt. */
export function fakeParts(reply: (prompt: string, model: string) => Completion | Promise<Completion>): FakeParts {
  const asked: FakeParts["asked"] = [];
  const encoders: FakeParts["encoders"] = [];
  const generators: string[] = [];
  const budget = { count: (prompt: string) => prompt.length, max_tokens: 10_000 };
  const answer = { max_new_tokens: 16, timeout_ms: 1000 };
  return {
    ...defaultParts,
    asked,
    encoders,
    generators,
    checkGenerator: async () => {},
    async openEncoder({ embedding_model_name_or_path: name }) {
      const words = name.includes("base") ? ["cars"] : ["red", "green", "blue", "boats"];
      const encoder = createWordEncoder(words);
      encoders.push({ name, encoder });
      return encoder;
    },
    async openGenerator({ qa_model_name_or_path: name }) {
      const model: LanguageModel = {
        name,
        provider: "local",
        complete: () => Promise.reject(new Error("a local generator takes raw prompts")),
        generate: async (prompt) => {
          asked.push({ model: name, prompt });
          return reply(prompt, name);
        },
        close: async () => {
          generators.push(`close ${name}`);
        },
      };
      generators.push(`open ${name}`);
      return {
        generator: promptGenerator(model, `fake:${name}`, defaultPromptFormat, budget, answer),
        format: defaultPromptFormat,
      };
    },
  };
}
