import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, hashText, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "./app.js";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { DECODER } from "./testing/flow-flags.js";
import { createMemoryIo } from "./testing/memory-io.js";

// Every stage that searches, with an embedding model behind an API: what it says that it will buy, what it buys, what it says that it bought.

const MODEL = "text-embedding-test";
let folder: string;
let server: OpenAiServer;
const at = (...names: string[]): string => join(folder, ...names);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectors-bill-"));
  server = await startOpenAiServer({
    reply: () => "It is red.",
    embed: ({ input }) =>
      input.map((text) => [...hashText(text).slice(0, 8)].map((digit) => Number.parseInt(digit, 16))),
    models: [MODEL],
  });
  const colours = ["red", "green", "blue", "white", "black", "brown", "amber", "olive"];
  const documents = colours.map((colour, i) =>
    createDocument(
      `# Cable ${colour}\n\nThe cable ${colour} is a wire that carries the signal of the ${colour} lamp number ${i} to the ${colour} socket. ` +
        `The ${colour} option sets how long the ${colour} lamp stays lit after its ${colour} button was pressed, in seconds of the clock.`,
      { source: `${colour}.md` },
    ),
  );
  const rows = documents.map((document, i) => ({
    gold_docs: [document],
    hard_neg_docs: [documents[(i + 1) % 8]],
    chat_history: [],
  }));
  await writeJsonl(at("documents.jsonl"), documents);
  await writeJsonl(
    at("q.jsonl"),
    rows.map((row, i) => ({ ...row, questions: [`What is cable ${i}?`, `Which lamp is ${i}?`] })),
  );
  await writeJsonl(
    at("qa.jsonl"),
    rows.map((row, i) => ({ ...row, question: `What is cable ${i}?`, gold_answer: "A wire." })),
  );
  await writeFile(at("prices.yaml"), `date: 2026-01-01\nbatch: 0.5\nmodels:\n  ${MODEL}: { input: 1000, output: 0 }\n`);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function run(stage: string, flags: Flags) {
  const io = createMemoryIo({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "test" });
  const code = await main(argvOf(stage, { ...flags, prices: at("prices.yaml") }), io);
  return { code, stdout: io.stdout, stderr: io.stderr, log: io.log };
}

const searched = { document_path: "documents.jsonl", output_dir: "out" };
const stages: [string, Flags][] = [
  [
    "mine-negatives",
    { dataset_w_q: "q.jsonl", document_path: "documents.jsonl", embedding_model: MODEL, save_dir: "out" },
  ],
  ["test-retriever", { ...searched, model_path: MODEL, eval_data_path: "q.jsonl", retrieval: "hybrid" }],
  [
    "train-generator",
    {
      model_name_or_path: DECODER,
      embedding_model: MODEL,
      embedding_max_num_to_retrieve: 1,
      full_dataset_file_path: "documents.jsonl",
      train_file: "qa.jsonl",
      eval_file: "qa.jsonl",
      output_dir: "out",
      max_steps: 1,
      do_eval: false,
      per_device_train_batch_size: 1,
    },
  ],
  [
    "gen-questions",
    {
      document_path: "documents.jsonl",
      prompt_model: "extractive",
      embedding_model: MODEL,
      hard_negatives: "mined",
      num_train_data: 4,
      num_eval_test_data: 4,
      save_dir: "out",
    },
  ],
  [
    "test-e2e",
    {
      ...searched,
      qa_model_name_or_path: DECODER,
      embedding_model_name_or_path: MODEL,
      eval_data_path: "qa.jsonl",
      max_new_tokens: 1,
    },
  ],
];

it.each(stages)(
  "%s: the dry run tells what is bought, the bill what was, and nothing is bought twice",
  { timeout: 180_000 },
  async (stage, given) => {
    const files = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        /^(documents|q|qa)\.jsonl$|^out$/.test(String(value)) ? at(String(value)) : value,
      ]),
    );
    const plan = await run(stage, { ...files, dry_run: true });
    expect(plan.stderr).toBe("");
    const [, planned, cost] =
      new RegExp(`^${stage} +vectors +${MODEL} +(\\d+) .* (\\d+\\.\\d+)$`, "m").exec(plan.stdout) ?? [];
    expect(Number(cost)).toBeGreaterThan(0);
    expect(server.requests).toHaveLength(0);

    const capped = await run(stage, { ...files, max_cost: 0.001 });
    expect({ code: capped.code, stderr: capped.stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--max_cost"),
    });
    const before = server.requests.length;

    const { code, stderr } = await run(stage, files);
    expect(code, stderr).toBe(0);
    const sent = server.requests.length - before;
    if (stage === "gen-questions") expect(Number(planned)).toBeGreaterThanOrEqual(sent);
    else expect(sent).toBe(Number(planned));
    const record = JSON.parse(await readFile(at("out", `manifest.${stage}.json`), "utf8"));
    // Of a whole test the answers of the local model, too.
    expect(record.requests.requests_sent).toBe(stage === "test-e2e" ? sent + 8 : sent);
    expect(record.requests.cost.cost_usd).toBeGreaterThan(0);

    const texts = (): string[] =>
      server.requests.flatMap(({ input }) => input ?? []).filter((text) => text !== "dimensions");
    const bought = texts();
    expect(new Set(bought).size).toBe(bought.length);
    const again = await run(stage, {
      ...files,
      ...(stage === "train-generator" ? { resume_from_checkpoint: false } : {}),
    });
    expect(again.code, again.stderr).toBe(0);
    expect(texts()).toEqual(bought);
  },
);
