import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  buildAnswer,
  buildPrompt,
  createDocument,
  defaultPromptFormat,
  readPromptFormat,
  silentReporter,
  withFolderLock,
  writeJsonl,
} from "@rag-ft/core";
import { openLanguageModel } from "@rag-ft/llm";
import { createAnswerBatch, createTrainableDecoder, loadDecoder, loadTokenizer, readSafetensors } from "@rag-ft/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeExamples } from "./examples.js";
import { trainGenerator } from "./index.js";
import { answerBatches, answerLosses } from "./loss.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../data/models/${name}`, import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const COLOURS = ["red", "green", "blue", "white", "black", "brown"];

let folder: string;
const at = (name: string): string => join(folder, name);
const rows = COLOURS.map((colour, i) => ({
  gold_docs: [createDocument(`Cable ${i} is ${colour}.`, { source: `cable-${i}.md` })],
  hard_neg_docs: [],
  chat_history: [],
  question: `Which colour has cable ${i}?`,
  gold_answer: `It is ${colour}.`,
  line: i + 1,
}));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("train_w_qa.jsonl"), rows);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function lines(path: string): Promise<Record<string, number>[]> {
  return (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

it("is refused while another run writes to its folder", async () => {
  const settings = trainGenerator.settings.parse({
    model_name_or_path: model("tiny-decoder"),
    embedding_model: model("tiny-encoder"),
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("train_w_qa.jsonl"),
    eval_file: at("train_w_qa.jsonl"),
    output_dir: at("held"),
  });
  await withFolderLock(at("held"), async () => {
    await expect(trainGenerator.run(settings, context)).rejects.toThrow(/held: in use by process/);
  });
});

describe("makeExamples", () => {
  it("prompt and answer are the shared format's, and a prompt too long loses passages", async () => {
    const tokenizer = await loadTokenizer(model("tiny-decoder"));
    const row = rows[0] as (typeof rows)[0];
    const others = rows.slice(1).flatMap((item) => item.gold_docs);
    const settings = { format: defaultPromptFormat, tokenizer, maxTokens: 400, maxRetrieved: 5, seed: 1 };
    const whole = makeExamples([{ row, retrieved: others }], settings, "test", silentReporter);
    const gold = tokenizer.encode(buildPrompt(defaultPromptFormat, row.gold_docs, row.question));
    expect(whole[0]?.prompt.length).toBeGreaterThan(gold.length * 2);
    expect(whole[0]?.answer).toEqual(
      tokenizer.encode(buildAnswer(defaultPromptFormat, row.gold_answer), { special: false }),
    );
    expect(whole[0]?.answer.at(-1)).toBe(tokenizer.tokenId("</s>"));

    const tight = { ...settings, maxTokens: gold.length + (whole[0]?.answer.length ?? 0) };
    expect(makeExamples([{ row, retrieved: others }], tight, "test", silentReporter)[0]?.prompt).toEqual(gold);
    expect(() =>
      makeExamples([{ row, retrieved: others }], { ...tight, maxTokens: 10 }, "file", silentReporter),
    ).toThrow(/file: no question fits 10 tokens/);
  });
});

describe("train-generator", () => {
  it("learns its answers and stop token, logs, and leaves a folder that answers", async () => {
    const settings = trainGenerator.settings.parse({
      model_name_or_path: model("tiny-decoder"),
      embedding_model: model("tiny-encoder"),
      // No passage but the gold one, so that the prompts below are those of training.
      embedding_max_num_to_retrieve: "0",
      full_dataset_file_path: at("documents.jsonl"),
      train_file: at("train_w_qa.jsonl"),
      eval_file: at("train_w_qa.jsonl"),
      test_file: at("train_w_qa.jsonl"),
      output_dir: at("run"),
      per_device_train_batch_size: "3",
      gradient_accumulation_steps: "2",
      num_train_epochs: "60",
      eval_steps: "20",
      logging_steps: "5",
      learning_rate: "2e-3",
      bf16: "true",
      deepspeed: "ds.json",
    });
    const said: string[] = [];
    const reporter = { ...silentReporter, info: (message: string) => said.push(message) };
    await trainGenerator.run(settings, { ...context, reporter });
    expect(said.find((line) => line.includes("no effect"))).toMatch(/bf16, deepspeed/);

    const evaluations = await lines(at("run/eval.jsonl"));
    expect(evaluations.map(({ step }) => step)).toEqual([0, 20, 40, 60]);
    const losses = evaluations.map((line) => line.eval_loss as number);
    expect(Math.min(...losses)).toBeLessThan((losses[0] as number) / 4);
    expect(await lines(at("run/train.jsonl"))).toHaveLength(12);
    expect((await readdir(at("run"))).filter((name) => name.startsWith("checkpoint-"))).toHaveLength(1);
    expect(await readPromptFormat(at("run"))).toEqual(defaultPromptFormat);
    const card = await readFile(at("run/README.md"), "utf8");
    expect(card).toMatch(/^---\nlibrary_name: transformers\npipeline_tag: text-generation\n/);
    const { base, best } = JSON.parse(await readFile(at("run/test.json"), "utf8"));
    expect(card).toContain(`| loss | ${base.loss.toFixed(3)} | ${best.loss.toFixed(3)} |`);
    expect(card).toContain(`instruction = ${JSON.stringify(defaultPromptFormat.system_text)}`);

    const answerer = await openLanguageModel(`local:${at("run")}`, context);
    const row = rows[2] as (typeof rows)[2];
    const completion = await answerer.generate?.(buildPrompt(defaultPromptFormat, row.gold_docs, row.question), {
      temperature: 0,
      max_new_tokens: 16,
      timeout_ms: 60_000,
      stop: ["</s>"],
    });
    expect(completion?.text.trim()).toBe(row.gold_answer);
    await answerer.close();
  }, 120_000);

  it("passages are found by words when the settings say so, and no encoder is opened", async () => {
    const train = (output: string, values: Record<string, unknown>) =>
      trainGenerator.run(
        trainGenerator.settings.parse({
          model_name_or_path: model("tiny-decoder"),
          embedding_model: at("no-such-model"),
          full_dataset_file_path: at("documents.jsonl"),
          train_file: at("train_w_qa.jsonl"),
          eval_file: at("train_w_qa.jsonl"),
          output_dir: at(output),
          max_steps: 1,
          do_eval: false,
          ...values,
        }),
        context,
      );
    await train("bm25", { retrieval: "bm25" });
    await expect(train("hybrid", { retrieval: "hybrid" })).rejects.toThrow(/no-such-model/);
    await expect(train("dense", { bm25_weight: "1" })).rejects.toThrow(/for --retrieval hybrid/);
  }, 60_000);

  it("learns to say that there is no answer where the gold passage is missing, and keeps what it says beside its weights", async () => {
    await writeJsonl(at("domain_not_in_passage.jsonl"), [{ ...rows[0], question: "What does cable 0 cost?" }]);
    const settings = trainGenerator.settings.parse({
      model_name_or_path: model("tiny-decoder"),
      embedding_model: at("no-such-model"),
      retrieval: "bm25",
      embedding_max_num_to_retrieve: 1,
      full_dataset_file_path: at("documents.jsonl"),
      train_file: at("train_w_qa.jsonl"),
      eval_file: at("train_w_qa.jsonl"),
      output_dir: at("refusing"),
      no_answer_share: "0.5",
      no_answer_text: "Nobody knows.",
      no_answer_file: at("domain_not_in_passage.jsonl"),
      per_device_train_batch_size: "12",
      max_steps: "40",
      eval_steps: "20",
      learning_rate: "2e-3",
    });
    expect(() => trainGenerator.settings.parse({ ...settings, no_answer_share: "0.6" })).toThrow();
    const said: string[] = [];
    const reporter = { ...silentReporter, info: (message: string) => said.push(message) };
    await trainGenerator.run(settings, { ...context, reporter });
    expect(said.join("\n")).toMatch(
      /train_w_qa\.jsonl: 6 rows added whose passages hold no answer: 5 without their gold passage, 1 of .*domain_not_in_passage\.jsonl; their answer is "Nobody knows\."/,
    );
    expect(said.join("\n")).toMatch(/train_w_qa\.jsonl: 6 rows added .*: 6 without their gold passage; /);
    expect(await readPromptFormat(at("refusing"))).toEqual({ ...defaultPromptFormat, no_answer_text: "Nobody knows." });
    expect(await readFile(at("refusing/README.md"), "utf8")).toContain("not answer | 6 |");

    // So small a model does not learn when to say it, but that it may: in six tries on contexts of training's kind.
    const answersOf = async (name: string): Promise<(string | undefined)[]> => {
      const answerer = await openLanguageModel(`local:${name}`, context);
      const answers: (string | undefined)[] = [];
      for (const row of rows) {
        const others = rows.flatMap((one) => (one === row ? [] : one.gold_docs)).slice(0, 2);
        const options = { temperature: 0, max_new_tokens: 16, timeout_ms: 60_000, stop: ["</s>"] };
        const prompt = buildPrompt(defaultPromptFormat, others, row.question);
        answers.push((await answerer.generate?.(prompt, options))?.text.trim());
      }
      await answerer.close();
      return answers;
    };
    expect(await answersOf(at("refusing"))).toContain("Nobody knows.");
    expect(await answersOf(model("tiny-decoder"))).not.toContain("Nobody knows.");
  }, 120_000);

  describe("never worse than the base", () => {
    const train = async (output: string, more: Record<string, unknown>) => {
      const settings = trainGenerator.settings.parse({
        model_name_or_path: model("tiny-decoder"),
        embedding_model: model("tiny-encoder"),
        embedding_max_num_to_retrieve: 0,
        full_dataset_file_path: at("documents.jsonl"),
        train_file: at("train_w_qa.jsonl"),
        eval_file: at("train_w_qa.jsonl"),
        test_file: at("train_w_qa.jsonl"),
        output_dir: at(output),
        per_device_train_batch_size: 6,
        max_steps: 2,
        ...more,
      });
      const result = await trainGenerator.run(settings, context);
      const choice = JSON.parse(await readFile(at(`${output}/choice.json`), "utf8"));
      return { result, choice };
    };
    const weightsOf = async (folder: string) =>
      [...(await readSafetensors(join(folder, "model.safetensors")))].map(([name, { data }]) => [name, data] as const);

    it.each([
      ["all weights", {}],
      ["adapters on a base in fp16", { lora_r: 2, base_dtype: "fp16", interpolate: "0.9" }],
    ])(
      "keeps the base, bit for bit, where training spoils it, and says so: %s",
      async (_, more) => {
        const { result, choice } = await train("spoilt", { learning_rate: 10, max_grad_norm: 0, ...more });
        expect(choice).toMatchObject({ kept: { step: 0 }, metric: "eval_loss" });
        expect(choice.verdict).toMatch(/^No checkpoint beat the base: loss on the eval questions is/);
        expect(result.summary).toContain(choice.verdict);
        const kept = new Map(await weightsOf(at("spoilt")));
        for (const [name, data] of await weightsOf(model("tiny-decoder"))) expect(kept.get(name), name).toEqual(data);
        const test = JSON.parse(await readFile(at("spoilt/test.json"), "utf8"));
        expect(test.best).toEqual({ ...test.base, step: 0 });
      },
      60_000,
    );

    it("weights between base and tuned are candidates; the best of all is kept, its loss is the file's", async () => {
      const { result, choice } = await train("between", { learning_rate: 3e-3, interpolate: "0.5" });
      expect(choice.candidates.map(({ step, alpha }: { step: number; alpha?: number }) => [step, alpha])).toEqual([
        [2, undefined],
        [2, 0.5],
      ]);
      const losses = choice.candidates.map((one: { figures: { eval_loss: number } }) => one.figures.eval_loss);
      const best = losses.indexOf(Math.min(...losses));
      expect(choice.kept).toEqual(best === 0 ? { step: 2 } : { step: 2, alpha: 0.5 });
      // Eval and test are the same file here.
      const test = JSON.parse(await readFile(at("between/test.json"), "utf8"));
      expect(test.best.loss).toBeCloseTo(losses[best], 6);
      expect(result.summary).toMatch(/eval +step 2 at alpha 0\.5/);
      await expect(train("blind", { do_eval: false, interpolate: "0.5" })).rejects.toThrow(/leave do_eval true/);
    }, 60_000);
  });

  // The weights of this model are F16 on the disk.
  it.each(["fp32", "fp16"])(
    "with LoRA on a base in %s, learns with frozen weights and leaves a merged model that answers, with PEFT's adapter beside it",
    async (base_dtype) => {
      const settings = trainGenerator.settings.parse({
        model_name_or_path: model("tiny-decoder"),
        embedding_model: model("tiny-encoder"),
        embedding_max_num_to_retrieve: 0,
        full_dataset_file_path: at("documents.jsonl"),
        train_file: at("train_w_qa.jsonl"),
        eval_file: at("train_w_qa.jsonl"),
        output_dir: at(`lora-${base_dtype}`),
        base_dtype,
        per_device_train_batch_size: 6,
        max_steps: 24,
        eval_steps: 12,
        learning_rate: 1e-2,
        lora_r: 8,
      });
      await trainGenerator.run(settings, context);
      const losses = (await lines(at(`lora-${base_dtype}/eval.jsonl`))).map((line) => line.eval_loss as number);
      expect(Math.min(...losses)).toBeLessThan((losses[0] as number) / 2);

      const base = await readSafetensors(join(model("tiny-decoder"), "model.safetensors"));
      const changed: string[] = [];
      for (const [name, { data }] of await readSafetensors(at(`lora-${base_dtype}/model.safetensors`))) {
        if (!base.get(name)?.data.every((value, i) => value === data[i])) changed.push(name);
      }
      const adapter = await readSafetensors(at(`lora-${base_dtype}/adapter/adapter_model.safetensors`));
      expect(changed.length).toBeGreaterThan(0);
      expect(changed.every((name) => /_proj\.weight$/.test(name))).toBe(true);
      expect([...adapter.keys()].filter((name) => name.includes("lora_B"))).toEqual(
        changed.map((name) => `base_model.model.${name.replace(/weight$/, "lora_B.weight")}`),
      );
      expect(JSON.parse(await readFile(at(`lora-${base_dtype}/adapter/adapter_config.json`), "utf8"))).toMatchObject({
        task_type: "CAUSAL_LM",
        r: 8,
        lora_alpha: 16,
      });

      const answerer = await openLanguageModel(`local:${at(`lora-${base_dtype}`)}`, context);
      const row = rows[2] as (typeof rows)[2];
      const completion = await answerer.generate?.(buildPrompt(defaultPromptFormat, row.gold_docs, row.question), {
        temperature: 0,
        max_new_tokens: 16,
        timeout_ms: 60_000,
        stop: ["</s>"],
      });
      expect(completion?.text.trim()).toBe(row.gold_answer);
      await answerer.close();
    },
    120_000,
  );

  it("the loss does not depend on how examples are cut in batches", async () => {
    const decoder = await loadDecoder(model("tiny-decoder"), context);
    const trainable = await createTrainableDecoder(decoder);
    const settings = {
      format: defaultPromptFormat,
      tokenizer: decoder.tokenizer,
      maxTokens: 1024,
      maxRetrieved: 0,
      seed: 1,
    };
    const examples = makeExamples(
      rows.map((row) => ({ row, retrieved: [] })),
      settings,
      "test",
      silentReporter,
    );
    const labels = examples.reduce((sum, { answer }) => sum + answer.length, 0);
    const together = answerBatches(examples, decoder.tokenizer.padId);
    let sum = 0;
    for (const batch of together.batches) sum += await trainable.loss(batch);
    const apart = await answerLosses(trainable, examples, { signal: context.signal });
    expect(sum).toBeGreaterThan(0.1);
    expect(sum).toBeCloseTo(apart.loss, 4);
    // An answer's share: its own mean loss, weighed by its length.
    const [first] = examples as [(typeof examples)[0]];
    const own = await trainable.loss(createAnswerBatch([first], decoder.tokenizer.padId, 1 / first.answer.length));
    expect(apart.values[0]).toBeCloseTo((own * first.answer.length * examples.length) / labels, 4);
    await trainable.close();
  });
});
