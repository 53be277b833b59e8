// What fine-tuning the generator does to its answers: SmolLM2-135M-Instruct, base and tuned, with passages found by vectors, by vectors and words, with
// the gold passages and with none. Databricks' example of LocalRQA (`databricks` beside Faire's folder): 58 questions of its eval
// split are trained on, the other 16 choose the checkpoint, the first 15 of its test split are measured. The stages of the command line
// do the work in result/bench/answers, and go on where they were stopped.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatTable, readQuestions, signed, writeJsonl } from "../packages/core/dist/index.js";
import { estimateFigures, pairedDifference } from "../packages/metrics/dist/index.js";
import { CHAT, passagesOf } from "./data.mjs";
import { rounded } from "./measure.mjs";
import { flags, processor, requireData, requireModel, root, runStage } from "./tools.mjs";

const TRAINED_ON = 58;
const MEASURED = flags.quick ? 2 : 15;
const FIGURES = ["test_gen/rougeL", "test_gen/f1"];

const faire = requireData();
const data = join(dirname(faire), "databricks");
const [encoder, decoder] = [requireModel("encoder"), requireModel("decoder")];
const folder = join(root, "result/bench/answers");
const at = (name) => join(folder, name);
mkdirSync(folder, { recursive: true });

const linesOf = (file) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const questions = (await Promise.all(["eval", "test"].map((s) => readQuestions(join(data, `${s}_w_q.jsonl`))))).flat();
await writeJsonl(at("documents.jsonl"), passagesOf(questions));
const rows = linesOf(join(data, "eval_w_qa.jsonl"));
await writeJsonl(at("train_w_qa.jsonl"), rows.slice(0, TRAINED_ON));
await writeJsonl(at("eval_w_qa.jsonl"), rows.slice(TRAINED_ON));
await writeJsonl(at("test_w_qa.jsonl"), linesOf(join(data, "test_w_qa.jsonl")).slice(0, MEASURED));

/** They may take long: what they say is shown. */
const stage = (name, settings) => runStage(name, settings, ["ignore", 2, 2]);

const turns = Object.fromEntries(
  ["system_prefix", "sep_system", "user_prefix", "assistant_prefix", "sep_user", "sep_sys"].map((key) => [
    key,
    CHAT[key].replaceAll("\n", "\\n"),
  ]),
);
const tuned = at("tuned");
if (!existsSync(join(tuned, "choice.json")))
  stage("train-generator", {
    model_name_or_path: decoder,
    embedding_model: encoder,
    full_dataset_file_path: at("documents.jsonl"),
    full_dataset_index_path: at("index"),
    train_file: at("train_w_qa.jsonl"),
    eval_file: at("eval_w_qa.jsonl"),
    per_device_train_batch_size: 4,
    num_train_epochs: 1,
    ...(flags.quick ? { max_steps: 1 } : {}),
    max_seq_length: 1536,
    output_dir: tuned,
    ...turns,
  });
const test = (output, generator, more) =>
  stage("test-e2e", {
    qa_model_name_or_path: generator,
    embedding_model_name_or_path: encoder,
    document_path: at("documents.jsonl"),
    eval_data_path: at("test_w_qa.jsonl"),
    max_seq_length: 1536,
    max_new_tokens: 128,
    output_dir: at(output),
    ...turns,
    ...more,
  });
test("dense", tuned, { compare_base: true });
const hybrid = { retrieval: "hybrid", index_path: at("dense/index/tuned") };
test("hybrid-base", decoder, hybrid);
test("hybrid-tuned", tuned, hybrid);

const cells = {
  "no passages": ["dense/cells/no-passages_base-generator", "dense/cells/no-passages_tuned-generator"],
  dense: ["dense/cells/tuned-retriever_base-generator", "dense"],
  hybrid: ["hybrid-base", "hybrid-tuned"],
  "gold passages": ["dense/cells/gold-passages_base-generator", "dense/cells/gold-passages_tuned-generator"],
};
const figuresOf = (cell) => linesOf(at(join(cell, "test-predictions.jsonl"))).map(({ figures }) => figures);
const interval = ({ low, high }) => `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
const result = { bench: "answers", questions: MEASURED, passages: {}, processor };
const table = [];
for (const [passages, folders] of Object.entries(cells)) {
  const [base, after] = folders.map(figuresOf);
  result.passages[passages] = {};
  for (const figure of FIGURES) {
    const values = [base, after].map((list) => list.map((row) => row[figure]));
    const [from, to] = [base, after].map((list) => estimateFigures(list, { seed: 0 })[figure]);
    const change = pairedDifference(values[0], values[1], { seed: 0 });
    table.push({
      passages,
      figure: figure.replace("test_gen/", ""),
      base: `${from.mean.toFixed(3)} ${interval(from)}`,
      tuned: `${to.mean.toFixed(3)} ${interval(to)}`,
      change: `${signed(change.difference)} ${interval(change)}`,
    });
    result.passages[passages][figure] = { base: rounded(from.mean), tuned: rounded(to.mean) };
  }
}
console.log(`${MEASURED} questions; in brackets 95 % intervals`);
console.log(formatTable(table, Object.keys(table[0])));
console.log(JSON.stringify(result));
