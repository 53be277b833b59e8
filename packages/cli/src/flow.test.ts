import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  compactQaRowSchema,
  documentKey,
  documentSchema,
  predictionSchema,
  qaRowSchema,
  questionsRowSchema,
  readDocuments,
  readJsonl,
  readPromptFormat,
  readQa,
  readQuestions,
  silentReporter,
} from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { main } from "./app.js";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { documentPickle, harmfulPickle } from "./testing/document-pickle.js";
import { ENCODER, generatorFlags, retrieverFlags, testFlags } from "./testing/flow-flags.js";
import { ANSWER_MODEL, createFlowReplies, QUESTION_MODEL } from "./testing/flow-replies.js";
import { hashFolder, readFolder } from "./testing/hash-folder.js";
import { createMemoryIo } from "./testing/memory-io.js";
import { writeGuides } from "./testing/write-guides.js";

const KEY = "sk-test-9f8e7d6c5b4a39281706";
const SPLITS = ["train", "eval", "test"] as const;
const SLOW = { timeout: 60_000 };

let folder: string;
let server: OpenAiServer;
/** Everything that any command wrote to the terminal. */
let shown = "";
const at = (...names: string[]): string => join(folder, ...names);

async function command(
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string; log: string }> {
  const io = createMemoryIo({
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: KEY,
    RAG_FT_CACHE: at("cache"),
    HF_HUB_OFFLINE: "1",
    HF_HOME: at("hub"),
    ...env,
  });
  const code = await main(argv, io);
  shown += io.stdout + io.stderr + io.log;
  return { code, stdout: io.stdout, stderr: io.stderr, log: io.log };
}

async function succeeds(
  stage: string,
  flags: Flags,
  env: Record<string, string> = {},
): Promise<{ stdout: string; log: string }> {
  const { code, stdout, stderr, log } = await command(argvOf(stage, flags), env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { stdout, log };
}

const json = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await readFile(path, "utf8"));
const lines = (path: string): Promise<Record<string, number>[]> =>
  readJsonl(path, z.record(z.string(), z.number()), { what: "figures" });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-flow-"));
  await writeGuides(at("guides"));
  server = await startOpenAiServer({ reply: createFlowReplies(KEY), apiKey: KEY });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe("the reference's six commands, small", () => {
  it("prepare-docs cuts the guides into passages", async () => {
    await succeeds("prepare-docs", {
      document_path: at("guides"),
      tokenizer: ENCODER,
      chunk_size: 140,
      chunk_overlap_size: 10,
      save_dir: at("data"),
      save_name: "databricks",
    });
    const path = at("data", "databricks.jsonl");
    const documents = await readJsonl(path, documentSchema, { what: "passages" });
    expect(new Set(documents.map((document) => document.metadata.source)).size).toBe(12);
    expect(documents.length).toBeGreaterThanOrEqual(48);
    for (const { fmt_content, metadata } of documents) expect(fmt_content).toMatch(`Source: ${metadata.source}\n`);
  });

  it("gen-questions asks about held-out passages first and lets none of them leak", async () => {
    const argv = ["gen-questions", "-mode", "all", "-document_path", at("data", "databricks.jsonl")];
    argv.push("--prompt_model", QUESTION_MODEL, "--num_hard_negs_per_doc", "2", "--num_train_data", "16");
    argv.push("--num_eval_test_data", "12", "--save_dir", at("questions"));
    expect(await command(argv)).toMatchObject({ code: 0, stderr: "" });
    const keys: Record<string, string[]> = {};
    for (const split of SPLITS) {
      const path = at("questions", `${split}_w_q.jsonl`);
      const rows = await readJsonl(path, questionsRowSchema, { what: "questions" });
      expect(rows.length).toBe(split === "train" ? 8 : 3);
      for (const row of rows) {
        expect(row.questions).toHaveLength(2);
        expect(row.hard_neg_docs.map((document) => document.metadata.source)).toEqual(
          Array(2).fill(row.gold_docs[0]?.metadata.source),
        );
      }
      keys[split] = rows.flatMap((row) => row.gold_docs.map(documentKey));
    }
    expect(new Set(Object.values(keys).flat()).size).toBe(14);
    const own = await readDocuments(at("questions", "test_documents.jsonl"));
    expect(own.map(documentKey)).toEqual(expect.arrayContaining(keys.test ?? []));
    expect(await readQuestions(at("questions", "nontrain_w_q.jsonl"))).toHaveLength(6);
  });

  it("gen-answers answers four questions of each split, with a compact twin", async () => {
    for (const split of SPLITS) {
      await succeeds("gen-answers", {
        prompt_model: ANSWER_MODEL,
        dataset_w_q: at("questions", `${split}_w_q.jsonl`),
        save_name: `${split}_w_qa.jsonl`,
        save_dir: at("answers"),
        end_data_idx: 4,
      });
      const rows = await readJsonl(at("answers", `${split}_w_qa.jsonl`), qaRowSchema, { what: "answers" });
      const twin = await readJsonl(at("answers", `${split}_w_a.jsonl`), compactQaRowSchema, { what: "answers" });
      expect(rows).toHaveLength(4);
      expect(rows[0]?.gold_answer).toMatch(/ a \w+ keeps its owner in the settings\.$/);
      expect(twin.map(({ question, answer }) => [question, answer])).toEqual(
        rows.map(({ question, gold_answer }) => [question, gold_answer]),
      );
    }
  });

  it("train-retriever takes two steps and measures base and best", SLOW, async () => {
    const { stdout } = await succeeds("train-retriever", retrieverFlags(at));
    expect(stdout).toContain("recall@4");
    const evaluations = await lines(at("retriever", "eval.jsonl"));
    expect(evaluations.map((line) => line.step)).toEqual([0, 1, 2]);
    for (const line of evaluations) {
      expect(line["eval_retr/document_recall/recall4"]).toBeGreaterThanOrEqual(
        line["eval_retr/document_recall/recall1"] ?? 1,
      );
    }
    const steps = await lines(at("retriever", "train.jsonl"));
    expect(steps.map((line) => line.step)).toEqual([1, 2]);
    for (const line of steps) {
      for (const name of ["loss", "grad_norm", "examples_per_s", "tokens_per_s", "peak_rss_mb"]) {
        expect(line[name], name).toBeGreaterThan(0);
      }
    }
    expect(await json(at("retriever", "test.json"))).toMatchObject({
      base: { "document_recall/recall4": expect.any(Number) },
      best: { "document_recall/recall4": expect.any(Number) },
      questions: 6,
    });
    // The seed's temperature of 1 means unnormalised dot products; the checkpoint says so.
    expect(await json(at("retriever", "config_sentence_transformers.json"))).toMatchObject({
      similarity_fn_name: "dot",
    });
    const files = Object.keys(await hashFolder(at("retriever")));
    expect(files).toEqual(
      expect.arrayContaining(["model.safetensors", "modules.json", "1_Pooling/config.json", "onnx/model.onnx"]),
    );
  });

  it("train-generator trains on the answers with the tuned retriever's passages", SLOW, async () => {
    const { log } = await succeeds("train-generator", generatorFlags(at));
    expect(log).toMatch(/no effect on this engine.*: bf16, use_flash_attention, deepspeed, run_group\n/);
    const evaluations = await lines(at("generator", "eval.jsonl"));
    expect(evaluations.map((line) => line.step)).toEqual([0, 2]);
    expect(evaluations[0]?.eval_loss).toBeGreaterThan(0);
    expect((await lines(at("generator", "train.jsonl"))).map((line) => line.step)).toEqual([2]);
    expect(await json(at("generator", "test.json"))).toMatchObject({ questions: 4 });
    expect(await readPromptFormat(at("generator"))).toMatchObject({
      assistant_prefix: "[/INST]",
      user_prefix: "<s>[INST]",
      sep_user: " ",
      sep_sys: "</s>",
    });
    expect(Object.keys(await hashFolder(at("generator")))).toEqual(
      expect.arrayContaining([
        "model.safetensors",
        "tokenizer.json",
        "onnx/model.onnx",
        "manifest.train-generator.json",
      ]),
    );
  });

  it("test-e2e scores retrieval and answers, and has them judged", SLOW, async () => {
    const { stdout } = await succeeds("test-e2e", testFlags(at));
    expect(stdout).toContain("ROUGE-L");
    const score = await json(at("test", "score.json"));
    for (const name of [
      "test_retr/document_recall/recall1",
      "test_retr/document_recall/recall4",
      "test_gen/rouge1",
      "test_gen/rouge2",
      "test_gen/rougeL",
      "test_gen/f1",
      "test_gen/latency_s",
    ]) {
      expect(score[name], name).toBeGreaterThanOrEqual(0);
    }
    expect(score).toMatchObject({ num_questions: 4, "test_retr/gold_not_in_database": 0 });
    const judged = predictionSchema.extend({ judge: z.object({ verdict: z.string() }) });
    const rows = await readJsonl(at("test", "test-predictions.jsonl"), judged, { what: "predictions" });
    expect(rows.map((row) => row.question)).toEqual(
      (await readQa(at("answers", "test_w_qa.jsonl"), silentReporter)).map((row) => row.question),
    );
    for (const row of rows) expect(row.retrieved_docs).toHaveLength(4);
    const count = (...verdicts: string[]): number => rows.filter((row) => verdicts.includes(row.judge.verdict)).length;
    expect(score).toMatchObject({
      "test_gen/gpt4_parsed": count("correct", "incorrect"),
      "test_gen/gpt4_unparsed": count("unparsed"),
      "test_gen/gpt4_failed": count("failed"),
    });
  });

  it("test-e2e counts every kind of verdict, with a generator behind the API", SLOW, async () => {
    const before = server.requests.length;
    const { stdout } = await succeeds("test-e2e", {
      ...testFlags(at),
      qa_model_name_or_path: ANSWER_MODEL,
      output_dir: at("test-api"),
      judge_model: "gpt-4.1-2025-04-14",
    });
    expect(server.requests.length - before).toBe(8);
    expect(await json(at("test-api", "score.json"))).toMatchObject({
      "test_gen/gpt4_acc": 0.5,
      "test_gen/gpt4_acc_low": 0.25,
      "test_gen/gpt4_acc_high": 0.75,
      "test_gen/gpt4_parsed": 2,
      "test_gen/gpt4_unparsed": 1,
      "test_gen/gpt4_failed": 1,
    });
    expect(stdout).toContain("2 of 4 answers have no verdict (1 unparsed, 1 failed)");
  });
});

describe("a fine-tuned model of the wrong kind", () => {
  it.each([
    ["a generator as the retriever", { embedding_model_name_or_path: "generator" }, /an encoder .* is expected here/],
    ["a retriever as the generator", { qa_model_name_or_path: "retriever" }, /a decoder is expected here.*bert/],
  ] as const)("%s", SLOW, async (_, wrong, message) => {
    const before = await hashFolder(at("test"));
    const places = Object.fromEntries(Object.entries(wrong).map(([flag, name]) => [flag, at(name)]));
    const { code, stderr } = await command(argvOf("test-e2e", { ...testFlags(at), ...places }));
    expect(stderr).toMatch(message);
    expect({ code, bug: stderr.includes("This is a bug") }).toEqual({ code: 2, bug: false });
    expect(await hashFolder(at("test"))).toEqual(before);
  });
});

describe("the reference's .pkl database", () => {
  it("gives the same figures as documents.jsonl", SLOW, async () => {
    await writeFile(at("docs.pkl"), documentPickle(await readDocuments(at("data", "databricks.jsonl"))));
    const flags = { ...testFlags(at), qa_model_name_or_path: ANSWER_MODEL, gen_gpt4eval: false };
    await succeeds("test-e2e", { ...flags, document_path: at("docs.pkl"), output_dir: at("test-pkl") });
    const [fromPickle, fromJsonl] = await Promise.all(
      ["test-pkl", "test-api"].map((run) => json(at(run, "score.json"))),
    );
    for (const name of ["test_retr/document_recall/recall1", "test_retr/document_recall/recall4", "test_gen/rougeL"]) {
      expect(fromPickle?.[name], name).toBe(fromJsonl?.[name]);
    }
  });

  it("is refused when it would run code", async () => {
    const trace = at("harmed");
    await writeFile(at("harmful.pkl"), harmfulPickle(`touch ${trace}`));
    const { code, stderr } = await command(
      argvOf("train-retriever", { ...retrieverFlags(at), full_dataset_file_path: at("harmful.pkl") }),
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*harmful\.pkl: byte \d+: .*posix\.system.*Nothing was run/);
    expect(Object.keys(await hashFolder(folder))).not.toContain("harmed");
  });
});

describe("ChatML through the prefix and separator flags", () => {
  it("has its escapes undone, is saved with the checkpoint, and is what test-e2e uses", SLOW, async () => {
    await succeeds("train-generator", {
      ...generatorFlags(at),
      system_prefix: "<|im_start|>system\\n",
      sep_system: "<|im_end|>\\n",
      user_prefix: "<|im_start|>user\\n",
      assistant_prefix: "<|im_start|>assistant\\n",
      sep_user: "<|im_end|>\\n",
      sep_sys: "<|im_end|>",
      max_steps: 1,
      gradient_accumulation_steps: 1,
      output_dir: at("chatml"),
    });
    const expected = {
      system_prefix: "<|im_start|>system\n",
      sep_system: "<|im_end|>\n",
      user_prefix: "<|im_start|>user\n",
      assistant_prefix: "<|im_start|>assistant\n",
      sep_user: "<|im_end|>\n",
      sep_sys: "<|im_end|>",
    };
    expect(await json(at("chatml", "rag_ft_prompt.json"))).toMatchObject(expected);
    await succeeds("test-e2e", {
      qa_model_name_or_path: at("chatml"),
      embedding_model_name_or_path: at("retriever"),
      document_path: at("data", "databricks.jsonl"),
      index_path: at("index"),
      eval_data_path: at("answers", "test_w_qa.jsonl"),
      output_dir: at("test-chatml"),
      max_test_samples: 1,
      max_new_tokens: 8,
    });
    expect(await json(at("test-chatml", "all_args.json"))).toMatchObject({ prompt_format: expected });
    // Further training of that generator keeps its format, but for what a flag says.
    const { assistant_prefix, user_prefix, sep_user, sep_sys, ...others } = generatorFlags(at);
    expect([assistant_prefix, user_prefix, sep_user, sep_sys]).not.toContain(undefined);
    await succeeds("train-generator", {
      ...others,
      model_name_or_path: at("chatml"),
      system_text: "Answer in English.",
      do_eval: false,
      max_steps: 1,
      per_device_train_batch_size: 1,
      gradient_accumulation_steps: 1,
      embedding_max_num_to_retrieve: 0,
      output_dir: at("chatml-again"),
    });
    expect(await readPromptFormat(at("chatml-again"))).toEqual({ ...expected, system_text: "Answer in English." });
  });
});

describe("run records", () => {
  it.each([
    ["prepare-docs", "data"],
    ["gen-questions", "questions"],
    ["gen-answers", "answers"],
    ["train-retriever", "retriever"],
    ["train-generator", "generator"],
    ["test-e2e", "test"],
  ])("%s leaves what it takes to repeat it", async (stage, name) => {
    const record = await json(at(name, `manifest.${stage}.json`));
    expect(record).toMatchObject({
      command: stage,
      working_directory: process.cwd(),
      versions: { node: process.version },
    });
    expect(record.command_line).toContain(`rag-ft ${stage}`);
    const hashes = Object.entries(record.output_hashes as Record<string, string>);
    expect(hashes.length).toBeGreaterThan(0);
    for (const [path, sha256] of hashes) expect(sha256, path).toMatch(/^[0-9a-f]{64}$/);
    for (const path of record.outputs as string[])
      expect(
        hashes.some(([key]) => key === path || key.startsWith(`${path} (`)),
        path,
      ).toBe(true);
    if (stage.startsWith("gen-")) expect(record).toMatchObject({ requests: { requests_sent: expect.any(Number) } });
    if (stage.startsWith("train-")) expect(Object.keys(record.models as object).length).toBeGreaterThan(0);
  });
});

describe("LoRA through the flags of both training stages", () => {
  it("leaves model folders that the next stages take, with the adapter beside", SLOW, async () => {
    const lora = { lora_r: 4, lora_alpha: 8, lora_dropout: 0 };
    const retriever = { ...retrieverFlags(at), ...lora, max_steps: 1, output_dir: at("lora-retriever") };
    const { log } = await succeeds("train-retriever", { ...retriever, lora_target_modules: "query,value" });
    expect(log).toMatch(/LoRA of rank 4, alpha 8, on 6 linear layers/);
    await succeeds("train-generator", {
      ...generatorFlags(at),
      ...lora,
      lora_target_modules: "all-linear",
      eval_embedding_model: at("lora-retriever"),
      full_dataset_index_path: at("lora-index"),
      max_steps: 1,
      output_dir: at("lora-generator"),
    });
    for (const name of ["lora-retriever", "lora-generator"]) {
      expect(Object.keys(await hashFolder(at(name)))).toEqual(
        expect.arrayContaining([
          "model.safetensors",
          "onnx/model.onnx",
          "adapter/adapter_config.json",
          "adapter/adapter_model.safetensors",
        ]),
      );
    }
    await succeeds("test-e2e", {
      ...testFlags(at),
      qa_model_name_or_path: at("lora-generator"),
      embedding_model_name_or_path: at("lora-retriever"),
      index_path: at("lora-index"),
      output_dir: at("test-lora"),
      gen_gpt4eval: false,
      max_test_samples: 1,
      max_new_tokens: 8,
    });
  });
});

describe("the API key", () => {
  it("is sent, and stands in nothing that is shown or written, not even when the server repeats it", async () => {
    const wrong = "sk-test-wrong-1a2b3c4d5e6f";
    const argv = argvOf("gen-answers", {
      prompt_model: ANSWER_MODEL,
      dataset_w_q: at("questions", "test_w_q.jsonl"),
      save_dir: at("refused"),
    });
    const refused = await command(argv, { OPENAI_API_KEY: wrong });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("refused the key (HTTP 401)") });
    const sent = server.requests.map((request) => request.authorization);
    expect(new Set(sent)).toEqual(new Set([`Bearer ${KEY}`, `Bearer ${wrong}`]));
    expect(await readFile(at("test-api", "test-predictions.jsonl"), "utf8")).toMatch(/The key .*… may not judge/);
    expect(shown.length).toBeGreaterThan(1000);
    const files = await readFolder(folder);
    expect(files.size).toBeGreaterThan(60);
    for (const key of [KEY, wrong]) {
      expect(shown).not.toContain(key);
      expect([...files].filter(([, bytes]) => bytes.includes(key)).map(([path]) => path)).toEqual([]);
    }
  });
});
