// The same training here and by another engine on two processes that meet over gloo: train-generator and TRL, train-retriever and sentence-transformers, each from
// one set of settings. Is the loss the same at each step, and what do the eval questions say? Then the generator's command of LocalRQA's Databricks run, with all of its flags.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readQa, readQuestions } from "../packages/core/dist/index.js";
import { database } from "./data.mjs";
import {
  flags,
  missing,
  pythonPath,
  quiet,
  realModel,
  requireData,
  runStage,
  tinyModel,
  wholeNumber,
  withFolder,
} from "./tools.mjs";

const PROCESSES = 2;
/** Largest share by which two losses of a step may differ. */
const TOLERANCE = 0.01;
const JOBS = ["generator", "retriever", "seed"];
const only = flags.only?.split(",") ?? JOBS;
if (only.some((name) => !JOBS.includes(name))) missing(`--only ${flags.only}: expected some of ${JOBS.join(",")}.`);

const steps = wholeNumber("number") ?? 8;
// Tiny models unless others are asked for: minutes on two cores.
const [encoder, decoder] = ["encoder", "decoder"].map((kind) => (flags[kind] ? realModel(kind) : tinyModel(kind)));
const python = pythonPath();

const lines = (path) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
const write = (path, rows) => writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

/** A part of the data: its questions and a database of their passages and some others. */
async function writeData(at) {
  const data = requireData();
  const [train, evaluated] = ["train", "eval"].map((split) => (suffix) => join(data, `${split}_w_${suffix}.jsonl`));
  const rows = {
    train_w_qa: (await readQa(train("qa"), quiet.reporter)).slice(0, 64),
    eval_w_qa: (await readQa(evaluated("qa"), quiet.reporter)).slice(0, 16),
    train_w_q: (await readQuestions(train("q"))).slice(0, 128),
    eval_w_q: await readQuestions(evaluated("q")),
  };
  const passages = new Map((await database(data)).slice(0, 300).map((one) => [one.page_content, one]));
  for (const row of Object.values(rows).flat())
    for (const one of [...row.gold_docs, ...row.hard_neg_docs]) passages.set(one.page_content, one);
  write(at("documents.jsonl"), [...passages.values()]);
  for (const [name, all] of Object.entries(rows)) write(at(`${name}.jsonl`), all);
}

/** Losses of each step and figures of the eval questions, here and there. */
function compare(name, { stage, engine, model, settings, batch, at, figure }) {
  console.error(`${name}: ${basename(model)}, ${steps} steps of ${batch * PROCESSES}`);
  // Where other processes are busy, threads that wait must not spin.
  const threads = flags.threads ?? "auto";
  const common = {
    ...settings,
    threads,
    save_onnx: false,
    max_steps: steps,
    eval_steps: Math.ceil(steps / 2),
    save_steps: 0,
  };
  const started = Date.now();
  runStage(stage, { ...common, per_device_train_batch_size: batch * PROCESSES, output_dir: at(`${name}-here`) });
  const here = (Date.now() - started) / 1000;
  runStage(stage, {
    ...{ ...common, engine, engine_python: python, nproc_per_node: PROCESSES },
    ...{ per_device_train_batch_size: batch, output_dir: at(`${name}-there`) },
  });
  const [ours, theirs] = ["here", "there"].map((side) => lines(at(`${name}-${side}/train.jsonl`)));
  const difference = ours.map(({ loss }, i) => Math.abs(loss - theirs[i].loss) / loss);
  console.table(
    ours.map(({ step, loss }, i) => ({ step, here: loss, there: theirs[i].loss, difference: difference[i] })),
  );
  const [eval_here, eval_there] = ["here", "there"].map((side) =>
    lines(at(`${name}-${side}/eval.jsonl`)).map((line) => [line.step, line[figure]]),
  );
  const { versions, processes = PROCESSES } = JSON.parse(readFileSync(at(`${name}-there/imported.json`), "utf8"));
  const worst = Math.max(...difference);
  return {
    ...{ model: basename(model), processes, steps, worst, within: ours.length === theirs.length && worst <= TOLERANCE },
    ...{ losses: { here: ours.map(({ loss }) => loss), there: theirs.map(({ loss }) => loss) } },
    ...{ figure, eval_here, eval_there, versions, seconds: { here, there: (Date.now() - started) / 1000 - here } },
  };
}

const generator = (at) =>
  compare("generator", {
    ...{ stage: "train-generator", engine: "trl", model: decoder, batch: 2, at, figure: "eval_loss" },
    settings: {
      ...{ model_name_or_path: decoder, embedding_model: encoder, embedding_max_num_to_retrieve: 1 },
      ...{ full_dataset_file_path: at("documents.jsonl"), full_dataset_index_path: at("index") },
      ...{ train_file: at("train_w_qa.jsonl"), eval_file: at("eval_w_qa.jsonl"), max_seq_length: 512 },
      learning_rate: flags.decoder ? 2e-5 : 1e-3,
    },
  });

const retriever = (at) =>
  compare("retriever", {
    ...{ stage: "train-retriever", engine: "sentence-transformers", model: encoder, batch: 8, at },
    figure: "eval_retr/document_recall/recall4",
    settings: {
      ...{ model_path: encoder, full_dataset_file_path: at("documents.jsonl"), max_seq_length: 256 },
      ...{ train_file: at("train_w_q.jsonl"), eval_file: at("eval_w_q.jsonl") },
      // Negatives of the questions and masks: the batches are the same with all of it.
      ...{ hard_neg_ratio: 0.25, mask_near_duplicates: true, learning_rate: flags.encoder ? 2e-5 : 1e-3 },
    },
  });

/** The command of LocalRQA's document, flag for flag; models and files are others. */
function seed(at) {
  console.error(`seed: ${basename(decoder)}`);
  const zero = { stage: 2 };
  const auto = Object.fromEntries(
    ["gradient_accumulation_steps", "gradient_clipping", "train_batch_size", "train_micro_batch_size_per_gpu"].map(
      (key) => [key, "auto"],
    ),
  );
  const config = { bf16: { enabled: "auto" }, zero_optimization: zero, ...auto };
  writeFileSync(at("ds_config.json"), JSON.stringify(config));
  runStage("train-generator", {
    ...{ engine: "trl", engine_python: python, nproc_per_node: PROCESSES, master_port: 20_001 },
    ...{ use_flash_attention: true, per_device_train_batch_size: 2, per_device_eval_batch_size: 2 },
    ...{ deepspeed: at("ds_config.json"), learning_rate: 1e-5, num_train_epochs: 2, gradient_accumulation_steps: 4 },
    ...{ bf16: true, model_name_or_path: decoder, assistant_prefix: "GPT4 Correct Assistant" },
    ...{ user_prefix: "GPT4 Correct User", sep_user: "<|end_of_turn|>", sep_sys: "<|end_of_turn|>" },
    ...{
      embedding_model: encoder,
      embedding_max_num_to_retrieve: 3,
      logging_steps: 10,
      eval_steps: 50,
      save_steps: 50,
    },
    ...{ output_dir: at("seed"), run_group: "databricks_vicuna" },
    ...{ train_file: at("train_w_qa.jsonl"), eval_file: at("eval_w_qa.jsonl"), test_file: at("eval_w_qa.jsonl") },
    ...{ full_dataset_file_path: at("documents.jsonl"), full_dataset_index_path: at("index") },
  });
  const log = readFileSync(at("seed/engine/run.log"), "utf8");
  return {
    ...{ model: basename(decoder), processes: PROCESSES },
    // What the flags became, and that DeepSpeed took part.
    config: readFileSync(at("seed/engine/sft.yaml"), "utf8")
      .split("\n")
      .filter((line) => /^(bf16|attn_implementation|deepspeed|max_steps|gradient_acc|per_device)/.test(line)),
    deepspeed: /DeepSpeed/.test(log),
    // Each 10 steps, as the flag says, and of the eval questions.
    losses: lines(at("seed/train.jsonl")).map(({ step, loss }) => [step, loss]),
    eval_losses: lines(at("seed/eval.jsonl")).map(({ step, eval_loss }) => [step, eval_loss]),
    verdict: JSON.parse(readFileSync(at("seed/choice.json"), "utf8")).verdict,
    versions: JSON.parse(readFileSync(at("seed/imported.json"), "utf8")).versions,
  };
}

await withFolder(async (folder) => {
  const at = (name) => join(flags.keep ?? folder, name);
  await writeData(at);
  const result = {};
  for (const [name, run] of Object.entries({ generator, retriever, seed }))
    if (only.includes(name)) result[name] = run(at);
  console.log(JSON.stringify({ bench: "engines", tolerance: TOLERANCE, ...result }));
  if (Object.values(result).some(({ within }) => within === false)) process.exitCode = 1;
});
