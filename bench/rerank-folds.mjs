// What a reranker adds on Faire's questions, by folds with no source in two of them: pnpm bench rerank-folds. In each fold a reranker is trained from
// an encoder on three parts, its checkpoint and its weight are chosen on a fourth, and what is reported is the fifth. With `--quality` the retriever is
// trained too (configs/retriever.yaml) and searched both alone and reordered by the same reranker. Goes on where it stopped.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readQuestions, sourceOf, writeJsonl } from "../packages/core/dist/index.js";
import { estimateFigures, intervalNote, pairedDifference } from "../packages/metrics/dist/index.js";
import { foldsBySource } from "../packages/pipeline/dist/cross-validate/folds.js";
import { comparedNames, differencesTable, figuresTable } from "../packages/test-retriever/dist/index.js";
import { flags, processor, requireData, requireModel, root, runStage, wholeNumber } from "./tools.mjs";

const data = requireData();
const encoder = requireModel("encoder");
const seed = Number(flags.seed);
const work = flags.keep ?? join(root, "result/bench/rerank-folds", flags.quick ? "quick" : "whole");
const count = wholeNumber("number", 3) ?? 5;
const database = join(data, "faire.pkl");

/** Fixed before the first fold was measured. */
const RERANKER = {
  threads: "auto",
  learning_rate: 5e-5,
  num_negatives: 4,
  max_seq_length: 192,
  num_train_epochs: 2,
  eval_steps: 48,
  // A fold's 129 eval questions tell no gain of this size from chance: by the default rule the search alone would stay.
  keep_base_unless: "better",
  ...(flags.quick ? { max_steps: 2, rerank_top_n: 4, max_seq_length: 48 } : {}),
};

const file = (fold, split) => join(work, "folds", String(fold), `${split}_w_q.jsonl`);
const isDone = (folder, name) => existsSync(join(folder, name));

async function dealt() {
  const rows = (
    await Promise.all(["train", "eval"].map((split) => readQuestions(join(data, `${split}_w_q.jsonl`))))
  ).flat();
  const folds = foldsBySource(rows, count, seed);
  for (const [i, fold] of folds.entries()) {
    mkdirSync(join(work, "folds", String(i + 1)), { recursive: true });
    for (const split of ["train", "eval", "test"])
      if (!existsSync(file(i + 1, split))) await writeJsonl(file(i + 1, split), fold[split]);
  }
  return folds;
}

const search = { retrieval: "hybrid", index_path: join(work, "index"), seed };

function train(stage, fold, settings, output) {
  if (isDone(output, "choice.json")) return;
  console.error(`fold ${fold}: ${stage}`);
  const files = { train_file: file(fold, "train"), eval_file: file(fold, "eval"), full_dataset_file_path: database };
  runStage(
    stage,
    { ...files, ...settings, index_path: search.index_path, seed, save_onnx: false, output_dir: output },
    "inherit",
  );
}

function test(fold, settings, output) {
  if (isDone(output, "score.json")) return;
  console.error(`fold ${fold}: test-retriever`);
  runStage(
    "test-retriever",
    { ...search, document_path: database, eval_data_path: file(fold, "test"), ...settings, output_dir: output },
    "inherit",
  );
}

/** Figures of each question by the label of a system. */
function figuresOf(folder) {
  const { systems } = JSON.parse(readFileSync(join(folder, "score.json"), "utf8"));
  return Object.fromEntries(
    systems.map((system) => [
      system.label,
      readFileSync(join(folder, system.folder, "retrieval-results.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).figures),
    ]),
  );
}

const folds = await dealt();
const found = folds.map(() => ({}));
const at = (name, fold) => join(work, name, `fold-${fold}`);
for (const i of folds.keys()) {
  const fold = i + 1;
  const reranker = at("reranker", fold);
  train(
    "train-reranker",
    fold,
    { model_path: encoder, embedding_model: encoder, retrieval: "hybrid", ...RERANKER },
    reranker,
  );
  test(fold, { model_path: encoder, label: "base", reranker }, at("test", fold));
  Object.assign(found[i], figuresOf(at("test", fold)));
}
if (flags.quality) {
  for (const i of folds.keys()) {
    const fold = i + 1;
    const retriever = at("retriever", fold);
    const recipe = { threads: "auto", settings: join(root, "configs/retriever.yaml"), model_path: encoder };
    train("train-retriever", fold, recipe, retriever);
    test(fold, { model_path: retriever, label: "tuned", reranker: at("reranker", fold) }, at("test-tuned", fold));
    Object.assign(found[i], figuresOf(at("test-tuned", fold)));
  }
}
const sources = folds.flatMap(({ test: rows }) => rows.flatMap((row) => row.questions.map(() => sourceOf(row))));

/** A fold in which the search alone was kept has no reordered system: there it is the search. */
const NAMES = {
  "e5 hybrid": (figures) => figures["base + 0.5 BM25"],
  "e5 hybrid, reordered": (figures) => figures["base + 0.5 BM25, 20 reranked"] ?? figures["base + 0.5 BM25"],
  ...(flags.quality && {
    "tuned hybrid": (figures) => withPrefix(figures, /^tuned \+ [\d.]+ BM25$/),
    "tuned hybrid, reordered": (figures) =>
      withPrefix(figures, /^tuned \+ [\d.]+ BM25, \d+ reranked$/) ?? withPrefix(figures, /^tuned \+ [\d.]+ BM25$/),
  }),
};

function withPrefix(figures, pattern) {
  const label = Object.keys(figures).find((name) => pattern.test(name));
  return label === undefined ? undefined : figures[label];
}

const systems = Object.entries(NAMES).map(([label, of]) => ({ label, rows: found.flatMap(of) }));
const options = { seed, sources };
const shown = systems.map(({ label, rows }) => ({ label, estimates: estimateFigures(rows, options) }));
console.log(`${sources.length} questions of ${new Set(sources).size} sources, ${folds.length} folds; ${processor}`);
console.log(figuresTable(shown));
const [first] = systems;
const differences = systems.slice(1).flatMap(({ label: to, rows }) =>
  comparedNames(Object.keys(rows[0])).map((figure) => ({
    from: first.label,
    to,
    figure,
    ...pairedDifference(
      first.rows.map((row) => row[figure]),
      rows.map((row) => row[figure]),
      options,
    ),
  })),
);
console.log(`\nDifferences, question by question; in brackets ${intervalNote(shown[0].estimates)}`);
console.log(differencesTable(differences));
