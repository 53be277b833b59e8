// Does train-retriever keep the base where nothing can be learned? The questions of Faire are dealt anew among the passages, in training and
// evaluation alike, so that a gain on the eval questions is chance. The database is the gold passages of both files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom, distinctDocuments, readQuestions, writeJsonl } from "../packages/core/dist/index.js";
import { ENCODER_SETTINGS } from "./data.mjs";
import { flags, processor, requireData, requireModel, runStage, wholeNumber, withFolder } from "./tools.mjs";

const encoder = requireModel("encoder");
const data = requireData();
const batch = wholeNumber("batch") ?? 32;
const seeds = Array.from({ length: flags.quick ? 1 : wholeNumber("seeds") }, (_, i) => i + 1);

/** The rows with each other's questions. */
function dealtAnew(rows, seed) {
  const questions = createRandom(seed).shuffle(rows.map((row) => row.questions));
  return rows.map((row, i) => ({ ...row, hard_neg_docs: [], questions: questions[i] }));
}

const results = [];
await withFolder(async (folder) => {
  const [train, evaluation] = await Promise.all(
    ["train", "eval"].map((split) => readQuestions(join(data, `${split}_w_q.jsonl`))),
  );
  const documents = distinctDocuments([...train, ...evaluation].flatMap(({ gold_docs }) => gold_docs));
  await writeJsonl(join(folder, "documents.jsonl"), documents);
  console.log(`${documents.length} passages, one epoch in steps of ${batch}, seeds ${seeds.join(", ")}`);
  for (const seed of seeds) {
    await writeJsonl(join(folder, "train_w_q.jsonl"), dealtAnew(train, seed));
    await writeJsonl(join(folder, "eval_w_q.jsonl"), dealtAnew(evaluation, seed));
    const output = join(folder, String(seed));
    runStage("train-retriever", {
      model_path: encoder,
      full_dataset_file_path: join(folder, "documents.jsonl"),
      train_file: join(folder, "train_w_q.jsonl"),
      eval_file: join(folder, "eval_w_q.jsonl"),
      output_dir: output,
      query_prefix: ENCODER_SETTINGS.query_prefix,
      passage_prefix: ENCODER_SETTINGS.passage_prefix,
      per_device_train_batch_size: batch,
      temperature: 0.05,
      interpolate: "0.5",
      keep_base_unless: "significant",
      seed,
    });
    const choice = JSON.parse(readFileSync(join(output, "choice.json"), "utf8"));
    console.log(`seed ${seed}: ${choice.verdict}`);
    results.push({ seed, kept: choice.kept, is_base: choice.kept.step === 0, verdict: choice.verdict });
  }
});
const kept = results.filter((result) => result.is_base).length;
console.log(`the base was kept in ${kept} of ${results.length} runs`);
console.log(JSON.stringify({ bench: "shuffled", kept_base: kept, runs: results.length, results, processor }));
