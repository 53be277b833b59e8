// What benches by folds share: Faire's questions dealt to folds with no source in two of them, a training and a test in each, and the tables over all.
// What is done already, in the folder of an earlier run, is not done again.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { distinctDocuments, readDocuments, readQuestions, sourceOf, writeJsonl } from "../packages/core/dist/index.js";
import { estimateFigures, intervalNote, pairedDifference } from "../packages/metrics/dist/index.js";
import { foldsBySource } from "../packages/pipeline/dist/cross-validate/folds.js";
import { comparedNames, differencesTable, figuresTable } from "../packages/test-retriever/dist/index.js";
import { flags, processor, requireData, root, runStage, wholeNumber } from "./tools.mjs";

const seed = Number(flags.seed);
/** Of trainings and tests: fp32, or `--precision bf16`. */
const precision = flags.precision === undefined ? {} : { precision: flags.precision };

/** Fixed before the first fold was measured. */
export const RERANKER = {
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

const isDone = (folder, name) => existsSync(join(folder, name));

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

/** All questions and the database; with `few`, of so many rows, and their passages alone. */
async function questionsAndPassages(work, few) {
  const data = requireData();
  const splits = ["train", "eval"].map((split) => readQuestions(join(data, `${split}_w_q.jsonl`)));
  const all = (await Promise.all(splits)).flat();
  const database = join(data, "faire.pkl");
  if (few === undefined) return { rows: all, database };
  const rows = all.filter(({ questions }) => questions.length > 0).slice(0, few);
  const part = join(work, "documents.jsonl");
  const named = distinctDocuments(rows.flatMap(({ gold_docs, hard_neg_docs }) => [...gold_docs, ...hard_neg_docs]));
  await writeJsonl(part, [...named, ...(await readDocuments(database)).slice(0, few)]);
  return { rows, database: part };
}

/** The folds of a bench and what is done in them; `few` rows and their passages make them where a look is enough. */
export async function openFolds(name, { few } = {}) {
  const work = flags.keep ?? join(root, "result/bench", name, flags.quick ? "quick" : "whole");
  const file = (fold, split) => join(work, "folds", String(fold), `${split}_w_q.jsonl`);
  const { rows, database } = await questionsAndPassages(work, few);
  // Dealt as ever; where time does not allow for all, the first are trained and measured.
  const folds = foldsBySource(rows, wholeNumber("number", 3) ?? 5, seed).slice(0, wholeNumber("folds"));
  for (const [i, fold] of folds.entries()) {
    mkdirSync(join(work, "folds", String(i + 1)), { recursive: true });
    for (const split of ["train", "eval", "test"])
      if (!existsSync(file(i + 1, split))) await writeJsonl(file(i + 1, split), fold[split]);
  }
  const index = join(work, "index");
  const train = (stage, fold, settings, output) => {
    if (isDone(output, "choice.json")) return;
    console.error(`fold ${fold}: ${stage} ${output}`);
    const files = { train_file: file(fold, "train"), eval_file: file(fold, "eval"), full_dataset_file_path: database };
    const common = { index_path: index, seed, save_onnx: false, output_dir: output, ...precision };
    runStage(stage, { ...files, ...settings, ...common }, "inherit");
  };
  return {
    folds,
    work,
    database,
    index,
    file,
    at: (what, fold) => join(work, what, `fold-${fold}`),
    train,
    /** By configs/retriever.yaml and what is set besides. */
    tunedRetriever: (fold, encoder, output, more = {}) => {
      const recipe = { threads: "auto", settings: join(root, "configs/retriever.yaml"), model_path: encoder };
      train("train-retriever", fold, { ...recipe, ...more }, output);
    },
    /** Figures of the fold's test questions, by system. */
    test: (fold, settings, output) => {
      if (!isDone(output, "score.json")) {
        console.error(`fold ${fold}: test-retriever ${output}`);
        const search = { retrieval: "hybrid", index_path: index, seed, ...precision };
        const files = { document_path: database, eval_data_path: file(fold, "test"), output_dir: output };
        runStage("test-retriever", { ...search, ...settings, ...files }, "inherit");
      }
      return figuresOf(output);
    },
  };
}

/** Tables of systems measured on all folds' test questions, and of their differences from the first. */
export function reportFolds(folds, systems) {
  const sources = folds.flatMap(({ test }) => test.flatMap((row) => row.questions.map(() => sourceOf(row))));
  const options = { seed, sources };
  const shown = systems.map(({ label, rows }) => ({ label, estimates: estimateFigures(rows, options) }));
  console.log(`${sources.length} questions of ${new Set(sources).size} sources, ${folds.length} folds; ${processor}`);
  console.log(figuresTable(shown));
  const [first, ...others] = systems;
  const differences = others.flatMap(({ label: to, rows }) =>
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
}
