import { chmod, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocument,
  hashFile,
  readPromptFormat,
  type StageContext,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import { TINY_DECODER, TINY_ENCODER, writeEngineResult } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { trainGenerator } from "./index.js";

const context: StageContext = {
  reporter: silentReporter,
  signal: new AbortController().signal,
  env: { PATH: process.env.PATH },
};
const COLOURS = ["red", "green", "blue", "white", "black", "brown", "pink", "grey"];
// As TRL 1.16 wrote it of such a run.
const LOG = [
  { step: 0, eval_loss: 4.6, eval_runtime: 1.5 },
  { step: 1, loss: 4.4, learning_rate: 0, grad_norm: 15.9, epoch: 0.5 },
  { step: 2, loss: 3.1, learning_rate: 0.001, grad_norm: 12.5, epoch: 1 },
  { step: 2, eval_loss: 1.5, eval_runtime: 1.4 },
  { step: 2, train_runtime: 7.2, train_loss: 3.7 },
];

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const read = (...names: string[]): Promise<string> => readFile(at(...names), "utf8");
const lines = async (...names: string[]): Promise<Record<string, unknown>[]> =>
  (await read(...names))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainGenerator.settings.parse({
    model_name_or_path: TINY_DECODER,
    embedding_model: TINY_ENCODER,
    embedding_max_num_to_retrieve: 1,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("train_w_qa.jsonl"),
    eval_file: at("train_w_qa.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 2,
    nproc_per_node: 2,
    learning_rate: 1e-3,
    save_onnx: false,
    threads: 1,
    engine: "trl",
    engine_python: "none",
    ...more,
  });
const exporting: StageContext = { ...context, engineStep: { kind: "export" } };
const importing: StageContext = { ...context, engineStep: { kind: "import" } };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const rows = COLOURS.map((colour, i) => ({
    gold_docs: [createDocument(`Cable ${i} is ${colour}.`, { source: `cable-${i}.md` })],
    ...{ hard_neg_docs: [], chat_history: [] },
    question: `Which colour has cable ${i}?`,
    gold_answer: `It is ${colour}.`,
  }));
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("train_w_qa.jsonl"), rows);
  // Weights that another program might have trained.
  const local = { engine: "local", per_device_train_batch_size: 4, nproc_per_node: 1, num_train_epochs: 2 };
  await trainGenerator.run(settings("local", local), context);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const result = (log = LOG) => ({
  files: { "model.safetensors": at("local", "model.safetensors"), "config.json": join(TINY_DECODER, "config.json") },
  ...{ step: 2, log },
});

describe("a generator's training for TRL", () => {
  it("is a folder with rows of tokens and masks, the seed's flags in TRL's words, and the hashes of all", async () => {
    await writeFile(at("ds.json"), JSON.stringify({ zero_optimization: { stage: 2 } }));
    const flags = {
      bf16: true,
      use_flash_attention: true,
      deepspeed: at("ds.json"),
      run_group: "seed",
      master_port: 20_001,
    };
    const more = { ...flags, gradient_accumulation_steps: 2, eval_steps: 3, save_steps: 4, num_train_epochs: 4 };
    const { outputs } = await trainGenerator.run(settings("seed", more), exporting);
    expect(outputs).toEqual([at("seed", "engine")]);
    expect(parse(await read("seed", "engine", "sft.yaml"))).toMatchObject({
      ...{
        model_name_or_path: "base",
        bf16: true,
        attn_implementation: "flash_attention_2",
        deepspeed: "deepspeed.json",
      },
      ...{ per_device_train_batch_size: 2, gradient_accumulation_steps: 2, max_steps: 4, learning_rate: 1e-3 },
      // Of 4 steps saved each 4, evaluated each 3: a checkpoint can only be chosen where it was evaluated.
      ...{ eval_steps: 3, save_steps: 6, load_best_model_at_end: true, completion_only_loss: true },
    });
    const script = await read("seed", "engine", "run.sh");
    expect(script).toContain("--nproc_per_node 2 --nnodes 1");
    expect(script).toMatch(
      /MASTER_PORT:-20001[\s\S]*WANDB_RUN_GROUP=seed[\s\S]*--use_cpu true --attn_implementation sdpa/,
    );
    expect(await read("seed", "engine", "requirements.txt")).toMatch(/^trl==.*\n(.*\n)*deepspeed==/);
    const rows = await lines("seed", "engine", "data", "train.jsonl");
    expect(rows).toHaveLength(32);
    for (const { input_ids, completion_mask, completion_text } of rows) {
      expect((completion_mask as number[]).length).toBe((input_ids as number[]).length);
      expect(completion_text).toMatch(/^ ?It is \w+\.<\/s>$/);
      // The mask is 0 up to the answer and 1 from there on.
      expect((completion_mask as number[]).join("")).toMatch(/^0+1+$/);
    }
    const job = JSON.parse(await read("seed", "engine", "job.json"));
    expect(job.files.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(["base/model.safetensors", "data/train.jsonl", "job.py", "run.sh", "sft.yaml"]),
    );
    for (const { path, sha256 } of job.files) expect(await hashFile(at("seed", "engine", path))).toBe(sha256);
  }, 60_000);

  it("stops where TRL is not at hand, says how to go on, and takes in what comes back once", async () => {
    const wanted = settings("run");
    await expect(trainGenerator.run(wanted, context)).rejects.toThrow(
      /trl is not at hand \(engine_python is none\)\. The job is in .*run.engine\. Copy .*rag-ft import .*The same command goes on/,
    );
    await expect(trainGenerator.run(wanted, importing)).rejects.toThrow(/nothing has come back yet/);
    await writeEngineResult(at("run", "engine"), result());
    const { figures, summary } = await trainGenerator.run(wanted, importing);
    expect(figures?.eval_loss).toBeLessThan(4);
    expect(summary).toContain("step 2");
    expect((await lines("run", "train.jsonl")).map(({ step, loss }) => [step, loss])).toEqual([
      [1, 4.4],
      [2, 3.1],
    ]);
    expect(await lines("run", "eval.jsonl")).toEqual([
      { step: 0, eval_loss: 4.6 },
      { step: 2, eval_loss: 1.5 },
    ]);
    expect(await readPromptFormat(at("run"))).toEqual(await readPromptFormat(at("local")));
    const [theirs, ours] = await Promise.all(
      [at("local", "model.safetensors"), at("run", "model.safetensors")].map(readSafetensors),
    );
    for (const [name, { data }] of theirs ?? []) expect(ours?.get(name)?.data).toEqual(data);
    // A run that goes on finds it done, and another recipe does not.
    await rm(at("run", "engine", "result"), { recursive: true });
    expect((await trainGenerator.run(wanted, context)).figures).toEqual(figures);
    await expect(trainGenerator.run({ ...wanted, learning_rate: 1 }, importing)).rejects.toThrow(
      /not of these settings and inputs: learning_rate \(0\.001, now 1\)/,
    );
  }, 60_000);

  it("takes weights over as they are where the engine measures, and keeps a base that was better by its figures", async () => {
    const wanted = settings("large", { measured_by: "engine" });
    await trainGenerator.run(wanted, exporting);
    await writeEngineResult(at("large", "engine"), result());
    const { summary } = await trainGenerator.run(wanted, context);
    expect(summary).toMatch(
      /Step 2 beats the base: loss on the eval questions 4\.600 to 1\.500 .*as the engine measured/,
    );
    expect(await hashFile(at("large", "model.safetensors"))).toBe(await hashFile(at("local", "model.safetensors")));
    expect(await readPromptFormat(at("large"))).toEqual(await readPromptFormat(at("local")));
    expect(await read("large", "tokenizer_config.json")).toContain("chat_template");
    const worse = settings("worse", { measured_by: "engine" });
    await trainGenerator.run(worse, exporting);
    await writeEngineResult(
      at("worse", "engine"),
      result([...LOG.slice(0, 3), { step: 2, eval_loss: 5, eval_runtime: 1 }]),
    );
    await trainGenerator.run(worse, context);
    expect(await hashFile(at("worse", "model.safetensors"))).toBe(
      await hashFile(join(TINY_DECODER, "model.safetensors")),
    );
    expect(JSON.parse(await read("worse", "choice.json")).kept).toEqual({ step: 0 });
  }, 60_000);

  it("runs the job where Python with the engine is at hand, and says why a job failed", async () => {
    // Answers as Python would: versions, then the programs of run.sh.
    const python = at("python");
    const versions = `case "$1" in -c) case "$2" in *metadata*) echo "$VERSIONS";; *) exit 1;; esac;; job.py) true;; *) echo "torch.OutOfMemoryError: CUDA out of memory."; exit 1;; esac`;
    await writeFile(python, `#!/bin/bash\n${versions}\n`);
    await chmod(python, 0o755);
    const wanted = settings("here", { engine_python: python });
    const { packages } = await trainGenerator
      .run(wanted, exporting)
      .then(async () => JSON.parse(await read("here", "engine", "job.json")));
    const env = { ...context.env, VERSIONS: JSON.stringify(packages) };
    await expect(
      trainGenerator.run(wanted, { ...context, env: { ...env, VERSIONS: '{"trl":"0.9.6"}' } }),
    ).rejects.toThrow(/engine_python: of .*, trl is 0\.9\.6, expected/);
    await expect(trainGenerator.run(wanted, { ...context, env })).rejects.toThrow(
      /the job has not ended: the GPU's memory was not enough: .*run\.log/,
    );
    expect(await read("here", "engine", "run.log")).toContain("CUDA out of memory");
  }, 60_000);

  describe("refuses", () => {
    const wanted = () => settings("broken", { measured_by: "engine" });
    const engine = (...names: string[]): string => at("broken", "engine", ...names);
    beforeAll(async () => {
      await trainGenerator.run(wanted(), exporting);
      await writeEngineResult(engine(), result());
      await cp(engine(), at("whole"), { recursive: true });
    });
    const restored = async (): Promise<void> => {
      await rm(engine(), { recursive: true });
      await cp(at("whole"), engine(), { recursive: true });
    };

    it.each<[string, () => Promise<unknown>, RegExp]>([
      [
        "a half-copied file",
        () => truncate(engine("result", "model.safetensors"), 1000),
        /model\.safetensors has 1000 bytes, expected \d+ of the result\. Copy the folder again/,
      ],
      [
        "a missing file",
        () => rm(engine("result", "model.safetensors")),
        /model\.safetensors is missing, a file of the result\. Copy/,
      ],
      ["a missing end", () => rm(engine("result", "result.json")), /trl is not at hand|nothing has come back/],
      [
        "other data",
        () => writeFile(engine("data", "train.jsonl"), "{}\n"),
        /train\.jsonl has 3 bytes, expected \d+ of the job that was exported\. Export again/,
      ],
      [
        "another engine",
        () => writeEngineResult(engine(), { ...result(), versions: { trl: "0.9.6" } }),
        /trained with trl 0\.9\.6, expected .*requirements\.txt/,
      ],
      [
        "another model",
        () =>
          writeEngineResult(engine(), {
            ...result(),
            files: { "model.safetensors": join(TINY_ENCODER, "model.safetensors") },
          }),
        /the weight model\.\S+ is missing among/,
      ],
      [
        "a loss that is none",
        async () => {
          const path = engine("result", "result.json");
          await writeFile(path, (await readFile(path, "utf8")).replace(/"loss": [\d.]+/, '"loss": NaN'));
        },
        /a figure of the job's log is NaN: the training has diverged\. Export again with a lower learning_rate/,
      ],
      [
        "a step beyond the job's",
        async () => {
          const path = engine("result", "result.json");
          await writeFile(path, (await readFile(path, "utf8")).replace(/"step": \d+/, '"step": 700'));
        },
        /is of step 700, but the job has \d+/,
      ],
      [
        "another job's result",
        async () => {
          const path = engine("result", "result.json");
          await writeFile(path, (await readFile(path, "utf8")).replace(/"job": "\w+"/, '"job": "another"'));
        },
        /result is of job another, but .*job\.json is job/,
      ],
    ])("%s, in one sentence, and nothing is taken for done", async (_, spoil, message) => {
      await restored();
      await spoil();
      const failure = trainGenerator.run(wanted(), importing);
      await expect(failure).rejects.toThrow(message);
      expect(await readdir(at("broken"))).not.toContain("imported.json");
      expect(await readdir(at("broken"))).not.toContain("model.safetensors");
    });
  });

  it("refuses weights that are none where it measures them", async () => {
    const wanted = settings("diverged", {});
    await trainGenerator.run(wanted, exporting);
    const bytes = await readFile(join(TINY_DECODER, "model.safetensors"));
    bytes.writeUInt32LE(0x7fc00000, bytes.length - 4);
    await writeFile(at("none.safetensors"), bytes);
    const files = { ...result().files, "model.safetensors": at("none.safetensors") };
    await writeEngineResult(at("diverged", "engine"), { ...result(), files });
    await expect(trainGenerator.run(wanted, importing)).rejects.toThrow(
      /is NaN: the training has diverged\. Export again with a lower learning_rate/,
    );
    expect(await readdir(at("diverged"))).not.toContain("imported.json");
  });

  it("has no place for settings that TRL cannot obey, and local says which flags are others'", async () => {
    await expect(trainGenerator.run(settings("x", { early_stopping_patience: 2 }), exporting)).rejects.toThrow(
      /engine trl has no early_stopping_patience\. Leave it out, or train with engine local/,
    );
    await expect(trainGenerator.run(settings("x", { deepspeed: "nowhere.json" }), exporting)).rejects.toThrow(
      /deepspeed: nowhere\.json is no file\. Give .*zero2/,
    );
  });
});
