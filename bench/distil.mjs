// What several positives, a teacher, dropout, other rates and more questions add to the training of a retriever, on Faire's questions by folds with no source in
// two of them: pnpm bench distil.
// In each fold every side is trained on three parts by configs/retriever.yaml, chosen on a fourth, and measured on the fifth, by its vectors alone and with
// BM25. Teachers: a reranker trained on the fold's three parts (or `--reranker FOLDER`, of a model that has seen none of the questions), and the decoder, as it
// is, by the likelihood of the gold answers. Goes on where it stopped; `--only positives,reranker-kl` leaves sides out, `--folds 2` folds (the first so many are measured),
// `--eval-passages 100` chooses the weights on a part of the database, `--precision bf16` multiplies so; `--quick` is a look at whether it runs.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readQa, writeJsonl } from "../packages/core/dist/index.js";
import { shareOf } from "../packages/pipeline/dist/cross-validate/learning-curve.js";
import { openFolds, RERANKER, reportFolds } from "./faire-folds.mjs";
import { wanted } from "./measure.mjs";
import { flags, missing, quiet, requireData, requireModel, runStage, wholeNumber } from "./tools.mjs";

const encoder = requireModel("encoder");
const { folds, work, database, index, file, at, train, test, tunedRetriever } = await openFolds(
  "distil",
  flags.quick ? { few: 12 } : {},
);
const few = flags.quick ? { max_steps: 2, per_device_train_batch_size: 4, max_seq_length: 48 } : {};
// Weights are chosen on part of the database where evaluations would cost more than the steps.
const evalPassages = wholeNumber("eval-passages") ?? (flags.quick ? 8 : undefined);
if (evalPassages !== undefined) few.eval_passages = evalPassages;
const distilPassages = flags.quick ? 3 : 8;

/** Fixed before the first fold was measured. */
const SIDES = {
  tuned: {},
  positives: { positives: "all", extra_positives: 1 },
  "reranker-kl": { distil_loss: "kl" },
  "reranker-margin": { distil_loss: "margin_mse" },
  "generator-kl": { distil_loss: "kl" },
  dropout: { dropout: 0.1 },
  "rate-5e-5": { learning_rate: 5e-5 },
  "rate-2e-4": { learning_rate: 2e-4 },
  // Of the questions trained on: epochs stay as they are, so that fewer questions are fewer steps.
  quarter: { share: 0.25 },
  half: { share: 0.5 },
};

/** What a side is trained on: all questions of the fold's three parts, or a share, whose smaller ones are parts of larger ones. */
async function trainedOn(side, fold, share) {
  if (share === undefined) return {};
  const output = join(work, "folds", String(fold), `train-${side}_w_q.jsonl`);
  if (!existsSync(output)) await writeJsonl(output, shareOf(folds[fold - 1].train, share, Number(flags.seed)));
  return { train_file: output };
}

function score(questions, teacher, output) {
  if (existsSync(output)) return output;
  console.error(`score-passages ${output}`);
  const search = { embedding_model: encoder, retrieval: "hybrid", index_path: index };
  const common = { document_path: database, num_docs: flags.quick ? 3 : 16, output_file: output };
  runStage("score-passages", { question_files: questions, ...search, ...common, ...teacher }, "inherit");
  return output;
}

function rerankerOf(fold) {
  if (flags.reranker !== undefined) {
    if (existsSync(join(flags.reranker, "config.json"))) return flags.reranker;
    missing(`--reranker ${flags.reranker}: no config.json there. Give a reranker's folder.`);
  }
  const output = at("reranker", fold);
  const first = { model_path: encoder, embedding_model: encoder, retrieval: "hybrid" };
  train("train-reranker", fold, { ...first, ...RERANKER }, output);
  return output;
}

/** The answers of all questions that are dealt; where a look is enough, of some. */
async function answersOf() {
  const output = join(work, "answers_w_qa.jsonl");
  const asked = new Set(folds.flatMap(({ train: rows }) => rows.flatMap(({ questions }) => questions)));
  const rows = [];
  for (const split of ["train", "eval"])
    rows.push(...(await readQa(join(requireData(), `${split}_w_qa.jsonl`), quiet.reporter)));
  await writeJsonl(
    output,
    rows.filter(({ question }) => asked.has(question)).filter((_, i) => !flags.quick || i % 4 === 0),
  );
  return output;
}

/** The scores that a side learns from; those of the generator, which is trained on nothing here, are made once for all folds. */
async function teacherOf(side, fold) {
  if (side.startsWith("reranker"))
    return score(file(fold, "train"), { reranker: rerankerOf(fold) }, join(work, "scores", `reranker-${fold}.jsonl`));
  if (!side.startsWith("generator")) return undefined;
  const short = flags.quick ? { num_docs: 2, max_seq_length: 256 } : { num_docs: 4, max_seq_length: 512 };
  const teacher = { qa_model_name_or_path: requireModel("decoder"), ...short };
  return score(await answersOf(), teacher, join(work, "scores", "generator.jsonl"));
}

const found = {};
const add = (label, fold, figures) => {
  found[label] ??= folds.map(() => []);
  found[label][fold - 1] = figures;
};
/** Of the vectors alone, and with BM25 at the weight that the eval questions chose. */
function keep(label, fold, figures) {
  add(label, fold, figures[label]);
  const hybrid = Object.keys(figures).find((name) => name.startsWith(`${label} + `));
  add(`${label} + BM25`, fold, figures[hybrid]);
}

for (const i of folds.keys()) {
  const fold = i + 1;
  keep("base", fold, test(fold, { model_path: encoder, label: "base" }, at("test-base", fold)));
  for (const [side, { share, ...settings }] of Object.entries(SIDES)) {
    if (side !== "tuned" && !wanted(side)) continue;
    const scores = await teacherOf(side, fold);
    const taught = scores === undefined ? {} : { distil_from: scores, distil_passages: distilPassages };
    const output = at(side, fold);
    tunedRetriever(fold, encoder, output, { ...settings, ...taught, ...few, ...(await trainedOn(side, fold, share)) });
    keep(side, fold, test(fold, { model_path: output, label: side }, at(`test-${side}`, fold)));
  }
}
const systems = Object.entries(found).map(([label, rows]) => ({ label, rows: rows.flat() }));
const ofKind = (isHybrid) => systems.filter(({ label }) => label.endsWith(" + BM25") === isHybrid);
/** Differences are from the training without any of it. */
const tunedFirst = (some) => [...some].sort((a, b) => b.label.startsWith("tuned") - a.label.startsWith("tuned"));
for (const isHybrid of [false, true]) reportFolds(folds, tunedFirst(ofKind(isHybrid)));
