import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, toJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "./app.js";
import { stageRegistry } from "./registry.js";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { harmfulPickle } from "./testing/document-pickle.js";
import { DECODER, ENCODER } from "./testing/flow-flags.js";
import { hashFolder } from "./testing/hash-folder.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

/** Files that an earlier run may have left: a failed run must not touch one of them. */
const EARLIER = [
  "documents.jsonl",
  "gold_and_hard_negs.jsonl",
  "train_w_q.jsonl",
  "eval_w_q.jsonl",
  "q_w_qa.jsonl",
  "q_w_a.jsonl",
  "train.jsonl",
  "eval.jsonl",
  "test.json",
  "score.json",
  "all_args.json",
  "test-predictions.jsonl",
  "model.safetensors",
  "checkpoint-2/model.safetensors",
  "manifest.test-e2e.json",
];

const documents = ["red", "green", "blue", "grey"].map((colour) =>
  createDocument(`The ${colour} lamp is set in the panel of the ${colour} room. ${"It glows until dawn. ".repeat(6)}`, {
    source: `docs/${colour}`,
  }),
);
const common = (i: number) => ({ gold_docs: [documents[i]], hard_neg_docs: [], chat_history: [] });
// Each its own: passages of the same question are no negatives of it.
const questions = ["red", "green", "blue"].map((colour, i) => ({
  ...common(i),
  questions: [`Where is the ${colour} lamp set?`],
}));
const answers = [0, 1, 2].map((i) => ({ ...common(i), question: "Where is it set?", gold_answer: "In the panel." }));

async function write(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(at(name), ".."), { recursive: true });
  await writeFile(at(name), content);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-mistakes-"));
  for (const name of EARLIER) await write(`out/${name}`, `earlier ${name}\n`);
  await write("docs.jsonl", toJsonl(documents));
  await write("q.jsonl", toJsonl(questions));
  await write("qa.jsonl", toJsonl(answers));
  await write("raw.jsonl", toJsonl([{ text: "A text.", source: "a" }]));
  await write("empty.jsonl", "\n");
  await write("taken", "a file\n");
  const broken = (rows: readonly object[]): string => `${toJsonl(rows.slice(0, 2))}{"gold_docs": [\n`;
  await write("docs-broken.jsonl", broken(documents));
  await write("q-broken.jsonl", broken(questions));
  await write("qa-broken.jsonl", broken(answers));
  await write(
    "raw-broken.jsonl",
    broken([
      { text: "A.", source: "a" },
      { text: "B.", source: "b" },
    ]),
  );
  const { metadata: _, ...unsourced } = documents[1] as (typeof documents)[number];
  await write("docs-incomplete.jsonl", toJsonl([documents[0], unsourced]));
  const { gold_docs: __, ...goldless } = questions[1] as (typeof questions)[number];
  await write("q-incomplete.jsonl", toJsonl([questions[0], goldless]));
  const { gold_answer: ___, ...unanswered } = answers[1] as (typeof answers)[number];
  await write("qa-incomplete.jsonl", toJsonl([answers[0], unanswered]));
  await write("raw-incomplete.jsonl", toJsonl([{ text: "A.", source: "a" }, { source: "b" }]));
  await write("harmful.pkl", harmfulPickle("touch harmed"));
  await write("no-config/tokenizer.json", "{}");
  await write("broken-config/config.json", "{");
  for (const [name, model] of [
    ["encoder", ENCODER],
    ["decoder", DECODER],
  ] as const) {
    await cp(model, at(`${name}-without-weights`), {
      recursive: true,
      filter: (path) => !path.endsWith(".safetensors"),
    });
    await cp(model, at(`${name}-without-tokenizer`), {
      recursive: true,
      filter: (path) => !path.endsWith("tokenizer.json"),
    });
    for (const [spoilt, files] of Object.entries(SPOILT)) {
      const copy = at(`${name}-${spoilt}`);
      await cp(model, copy, { recursive: true });
      for (const [file, change] of Object.entries(files)) {
        const path = join(copy, file);
        await writeFile(path, change(await readFile(path)));
      }
    }
  }
});
afterAll(() => rm(folder, { recursive: true }));

const json =
  (change: (content: Record<string, never>) => object) =>
  (bytes: Buffer): string => {
    const content = JSON.parse(bytes.toString());
    return JSON.stringify({ ...content, ...change(content) });
  };

/** Model folders whose files are not what they say: what is done to which file of a good one. */
const SPOILT: Record<string, Record<string, (bytes: Buffer) => string | Uint8Array>> = {
  truncated: { "model.safetensors": (bytes) => bytes.subarray(0, bytes.length / 2) },
  "of-html": { "model.safetensors": () => "<html>The page was not found.</html>" },
  "of-other-shape": { "config.json": json(() => ({ intermediate_size: 100 })) },
  "of-absurd-size": { "config.json": json(() => ({ vocab_size: 1e12 })) },
  "of-absurd-depth": { "config.json": json(() => ({ num_hidden_layers: 1e6 })) },
  "of-unknown-architecture": { "config.json": json(() => ({ model_type: "t5" })) },
  "of-no-architecture": { "config.json": json(() => ({ model_type: undefined })) },
  "with-half-a-tokenizer": { "tokenizer.json": (bytes) => bytes.subarray(0, bytes.length / 2) },
  // The data's own words become tokens that the model does not know.
  "with-another-tokenizer": {
    "tokenizer.json": json(({ added_tokens }) => ({
      added_tokens: [
        ...(added_tokens as object[]),
        ...["lamp", "set"].map((content, i) => ({
          id: 70_000 + i,
          content,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: true,
          special: false,
        })),
      ],
    })),
  },
};

/** A good command for each stage; a case changes one flag of it. */
const good: Record<string, () => Flags> = {
  "prepare-docs": () => ({ document_path: at("raw.jsonl"), tokenizer: ENCODER, save_dir: at("out") }),
  "gen-questions": () => ({
    mode: "init_eval_dset",
    document_path: at("docs.jsonl"),
    num_hard_negs_per_doc: 0,
    prompt_model: "extractive",
    save_dir: at("out"),
  }),
  "mine-negatives": () => ({
    dataset_w_q: at("q.jsonl"),
    document_path: at("docs.jsonl"),
    embedding_model: ENCODER,
    save_dir: at("out"),
  }),
  "audit-splits": () => ({ dataset: at("splits") }),
  "gen-answers": () => ({ dataset_w_q: at("q.jsonl"), prompt_model: "extractive", save_dir: at("out") }),
  "train-retriever": () => ({
    model_path: ENCODER,
    full_dataset_file_path: at("docs.jsonl"),
    train_file: at("q.jsonl"),
    eval_file: at("q.jsonl"),
    test_file: at("q.jsonl"),
    output_dir: at("out"),
  }),
  "train-generator": () => ({
    model_name_or_path: DECODER,
    embedding_model: ENCODER,
    full_dataset_file_path: at("docs.jsonl"),
    train_file: at("qa.jsonl"),
    eval_file: at("qa.jsonl"),
    test_file: at("qa.jsonl"),
    output_dir: at("out"),
  }),
  "test-e2e": () => ({
    qa_model_name_or_path: DECODER,
    embedding_model_name_or_path: ENCODER,
    document_path: at("docs.jsonl"),
    eval_data_path: at("qa.jsonl"),
    output_dir: at("out"),
  }),
};

type Case = [stage: string, flag: string, value: string, code: 2 | 3, message: RegExp];

const dataCases: Case[] = [
  ["prepare-docs", "document_path", "raw-broken.jsonl", 3, /raw-broken\.jsonl:3: not valid JSON/],
  ["prepare-docs", "document_path", "raw-incomplete.jsonl", 3, /raw-incomplete\.jsonl:2: .*text/],
  ["prepare-docs", "document_path", "empty.jsonl", 3, /empty\.jsonl: .*empty/],
  ["prepare-docs", "document_path", "none.jsonl", 2, /none\.jsonl: no such file/],
  ["gen-questions", "document_path", "docs-broken.jsonl", 3, /docs-broken\.jsonl:3: not valid JSON/],
  ["gen-questions", "document_path", "docs-incomplete.jsonl", 3, /docs-incomplete\.jsonl:2: .*metadata/],
  ["gen-questions", "document_path", "empty.jsonl", 3, /empty\.jsonl: the file is empty/],
  ["gen-questions", "document_path", "raw.jsonl", 3, /raw\.jsonl:1: .*run prepare-docs on it first/],
  ["gen-questions", "document_path", "harmful.pkl", 3, /harmful\.pkl: byte \d+: .*posix\.system.*Nothing was run/],
  ["gen-questions", "config", "q.jsonl", 3, /q\.jsonl/],
  ["mine-negatives", "dataset_w_q", "q-broken.jsonl", 3, /q-broken\.jsonl:3: not valid JSON/],
  ["mine-negatives", "dataset_w_q", "none.jsonl", 2, /none\.jsonl: no such file or folder/],
  ["mine-negatives", "dataset_w_q", "no-config", 2, /no-config: the folder holds none of train_w_q\.jsonl/],
  ["mine-negatives", "document_path", "q.jsonl", 3, /q\.jsonl:1: .*looks like a file of questions/],
  ["mine-negatives", "embedding_model", DECODER, 2, /an encoder .* is expected here/],
  ["audit-splits", "dataset", "no-config", 2, /no-config: 0 of the splits train, eval and test found/],
  ["gen-answers", "dataset_w_q", "q-broken.jsonl", 3, /q-broken\.jsonl:3: not valid JSON/],
  ["gen-answers", "dataset_w_q", "q-incomplete.jsonl", 3, /q-incomplete\.jsonl:2: .*gold_docs/],
  ["gen-answers", "dataset_w_q", "qa.jsonl", 3, /qa\.jsonl:1: .*looks like a file of answers/],
  ["gen-answers", "dataset_w_q", "none.jsonl", 2, /none\.jsonl: no such file or folder/],
  ["train-retriever", "train_file", "q-broken.jsonl", 3, /q-broken\.jsonl:3: not valid JSON/],
  ["train-retriever", "test_file", "q-incomplete.jsonl", 3, /q-incomplete\.jsonl:2: .*gold_docs/],
  ["train-retriever", "eval_file", "empty.jsonl", 3, /empty\.jsonl: the file is empty/],
  ["train-retriever", "eval_file", "qa.jsonl", 3, /qa\.jsonl:1: .*looks like a file of answers/],
  ["train-retriever", "full_dataset_file_path", "q.jsonl", 3, /q\.jsonl:1: .*looks like a file of questions/],
  ["train-retriever", "full_dataset_file_path", "none.pkl", 2, /none\.pkl: no such file/],
  ["train-generator", "train_file", "qa-incomplete.jsonl", 3, /qa-incomplete\.jsonl:2: .*gold_answer/],
  ["train-generator", "test_file", "q.jsonl", 3, /q\.jsonl:1: .*file of questions .*run gen-answers on it first/],
  ["train-generator", "full_dataset_file_path", "docs-broken.jsonl", 3, /docs-broken\.jsonl:3: not valid JSON/],
  ["test-e2e", "eval_data_path", "qa-broken.jsonl", 3, /qa-broken\.jsonl:3: not valid JSON/],
  ["test-e2e", "eval_data_path", "q.jsonl", 3, /q\.jsonl:1: .*file of questions .*run gen-answers on it first/],
  ["test-e2e", "eval_data_path", "empty.jsonl", 3, /empty\.jsonl: the file is empty/],
  ["test-e2e", "document_path", "docs-incomplete.jsonl", 3, /docs-incomplete\.jsonl:2: .*metadata/],
];

const modelCases: Case[] = (
  [
    ["train-retriever", "model_path", "encoder"],
    ["train-generator", "model_name_or_path", "decoder"],
    ["train-generator", "embedding_model", "encoder"],
    ["test-e2e", "qa_model_name_or_path", "decoder"],
    ["test-e2e", "embedding_model_name_or_path", "encoder"],
  ] as const
).flatMap(([stage, flag, wanted]): Case[] => [
  [stage, flag, wanted === "encoder" ? DECODER : ENCODER, 2, new RegExp(`an? ${wanted} .* is expected here`)],
  [stage, flag, "no-config", 2, /no-config.*config\.json/],
  [stage, flag, "broken-config", 3, /broken-config.config\.json: not/],
  [stage, flag, `${wanted}-without-weights`, 2, /-without-weights: no model\.safetensors/],
  [stage, flag, `${wanted}-without-tokenizer`, 2, /-without-tokenizer.*tokenizer\.json/],
  [stage, flag, "./nowhere", 2, /nowhere: no such folder/],
  [stage, flag, `${wanted}-truncated`, 3, /model\.safetensors: tensor \S+: ends at byte .* The file is cut short/],
  [stage, flag, `${wanted}-of-html`, 3, /model\.safetensors: .*Not a safetensors file/],
  [stage, flag, `${wanted}-of-other-shape`, 3, /the weight \S+ has shape \[.*\], but config\.json asks for \[/],
  [stage, flag, `${wanted}-of-absurd-size`, 3, /config\.json.*vocab_size: .*expected number to be <=/],
  [stage, flag, `${wanted}-of-absurd-depth`, 3, /config\.json.*num_hidden_layers: .*expected number to be <=/],
  [stage, flag, `${wanted}-of-unknown-architecture`, 2, new RegExp(`"t5"; an? ${wanted} .* types is expected: `)],
  [stage, flag, `${wanted}-of-no-architecture`, 2, /config\.json names no model_type; an? /],
  [stage, flag, `${wanted}-with-half-a-tokenizer`, 3, /tokenizer\.json: not valid JSON/],
  [stage, flag, `${wanted}-with-another-tokenizer`, 3, /tokenizer\.json: the token "(lamp|set)" has the id 7000[01]/],
]);
modelCases.push(["prepare-docs", "tokenizer", "encoder-without-tokenizer", 2, /-without-tokenizer.*tokenizer\.json/]);

describe("a mistake in one input", () => {
  it.each([...dataCases, ...modelCases])("%s --%s %s: exit code %i", async (stage, flag, value, code, message) => {
    const before = await hashFolder(at("out"));
    expect(Object.keys(before).sort()).toEqual([...EARLIER].sort());
    const flags = { ...good[stage]?.(), [flag]: value.startsWith("/") ? value : at(value) };
    const io = createMemoryIo({ OPENAI_API_KEY: "sk-test-unused", HF_HUB_OFFLINE: "1", RAG_FT_CACHE: at("cache") });
    const found = await main(argvOf(stage, flags), io);
    expect(io.stderr).toMatch(message);
    expect(found).toBe(code);
    expect(io.stderr).toMatch(/^error: /);
    expect(io.stderr.match(/^error: /gm)).toHaveLength(1);
    expect(io.stderr).not.toMatch(/^ {4}at |This is a bug/m);
    expect(io.stdout).toBe("");
    expect(await hashFolder(at("out"))).toEqual(before);
  });
});

describe("a mistake in the adapters' flags", () => {
  it.each([
    ["train-retriever", { lora_r: 4, lora_dropout: 0.1 }, /lora_dropout.*only 0 is supported/],
    [
      "train-retriever",
      { lora_r: 4, lora_target_modules: "q_proj" },
      /named "q_proj"\. Known: .*attention\.self\.query/,
    ],
    [
      "train-generator",
      { lora_r: 4, lora_target_modules: "q_proj,query" },
      /named "query"\. Known: .*self_attn\.q_proj/,
    ],
    ["train-retriever", { freeze_layers: 3 }, /freeze_layers is 3, but .* has 3 layers.*Give at most 2\./],
    ["train-retriever", { freeze_layers: "1.5" }, /freeze_layers: expected a whole number, found "1\.5"/],
    ["train-generator", { freeze_layers: -1 }, /freeze_layers: expected a number of at least 0, found "?-1/],
    ["train-generator", { lora_alpha: 16 }, /lora_alpha is given, but lora_r is 0/],
    ["train-generator", { base_dtype: "bf16" }, /base_dtype is bf16, but lora_r is 0: all weights are trained/],
  ] as const)("%s %j says so before anything is written", async (stage, flags, message) => {
    const before = await hashFolder(at("out"));
    const io = createMemoryIo({ RAG_FT_CACHE: at("cache"), HF_HUB_OFFLINE: "1" });
    expect(await main(argvOf(stage, { ...good[stage]?.(), ...flags }), io)).toBe(2);
    expect(io.stderr).toMatch(message);
    expect(await hashFolder(at("out"))).toEqual(before);
  });
});

describe("a device that this machine does not have", () => {
  it.each([
    ["gen-questions", { mode: "all", num_eval_test_data: 4, prompt_model: `local:${DECODER}` }],
    ["gen-answers", { prompt_model: `local:${DECODER}` }],
    ["train-retriever", {}],
    ["train-generator", {}],
    ["test-e2e", {}],
  ] as const)("%s names those it has, and runs nothing on the CPU", async (stage, flags) => {
    const before = await hashFolder(at("out"));
    const io = createMemoryIo({ RAG_FT_CACHE: at("cache"), HF_HUB_OFFLINE: "1" });
    const all: Flags = { ...good[stage]?.(), ...flags, device: "gpu" };
    if (stage === "gen-questions") all.save_dir = at("asked");
    expect(await main(argvOf(stage, all), io)).toBe(2);
    expect(io.stderr).toMatch(/^error: device: "gpu" is no execution provider .* has: cpu/m);
    expect(await hashFolder(at("out"))).toEqual(before);
  });
});

describe("an output folder that is a file", () => {
  const writing = Object.keys(good).filter((stage) => stage !== "audit-splits"); // which writes none
  it.each(writing)("%s names it and ends with exit code 2", async (stage) => {
    const flags = { ...good[stage]?.(), max_steps: 1, max_test_samples: 1 } as Flags;
    const known = (await stageRegistry[stage]?.load())?.flags.map((flag) => flag.name) ?? [];
    const output = known.includes("save_dir") ? "save_dir" : "output_dir";
    const kept = Object.entries({ ...flags, [output]: at("taken") }).filter(([name]) => known.includes(name));
    const io = createMemoryIo({ RAG_FT_CACHE: at("cache"), HF_HUB_OFFLINE: "1" });
    expect(await main(argvOf(stage, Object.fromEntries(kept)), io)).toBe(2);
    expect(io.stderr).toMatch(/^error: .*taken(.test\.json)?: /);
    expect(io.stderr).not.toMatch(/^ {4}at |This is a bug/m);
    expect(await readFile(at("taken"), "utf8")).toBe("a file\n");
  });
});

describe("a missing OPENAI_API_KEY", () => {
  it.each([
    ["gen-questions", { mode: "all", prompt_model: "gpt-4.1" }],
    ["gen-answers", { prompt_model: "gpt-4.1" }],
    ["test-e2e", { qa_model_name_or_path: "gpt-4.1" }],
    ["test-e2e", { gen_gpt4eval: true }],
  ] as const)("%s says so before anything is written (%j)", async (stage, flags) => {
    const before = await hashFolder(at("out"));
    const io = createMemoryIo({ RAG_FT_CACHE: at("cache"), HF_HUB_OFFLINE: "1" });
    expect(await main(argvOf(stage, { ...good[stage]?.(), ...flags }), io)).toBe(2);
    expect(io.stderr).toMatch(/^error: .*OPENAI_API_KEY is not set. Set it/);
    expect(await hashFolder(at("out"))).toEqual(before);
  });
});
