// What search by words adds to vectors, nothing trained: BM25, vectors, both together, and both with pairs of neighbouring words. For each
// data folder (Faire's, and that of Databricks beside it): the database is faire.pkl where there is one, else all passages that the questions name.
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describeSplit, readQuestions, sourceOf, splitProcedureOf } from "../packages/core/dist/index.js";
import { estimateFigures, intervalNote, pairedDifference } from "../packages/metrics/dist/index.js";
import { openEncoder } from "../packages/models/dist/index.js";
import {
  bm25Retriever,
  DEFAULT_BM25_WEIGHT,
  denseRetriever,
  evaluateRetriever,
  hybridRetriever,
  openIndex,
} from "../packages/retrieval/dist/index.js";
import { comparedNames, differencesTable, figuresTable } from "../packages/test-retriever/dist/index.js";
import { flattenQuestions } from "../packages/train-retriever/dist/index.js";
import { database, ENCODER_SETTINGS, passagesOf } from "./data.mjs";
import { mean, rounded } from "./measure.mjs";
import { flags, quiet, requireData, requireModel, root } from "./tools.mjs";

const DEPTHS = [1, 4];
const seed = Number(flags.seed);

async function questionsIn(folder) {
  const files = ["train", "eval", "test"].map((split) => join(folder, `${split}_w_q.jsonl`)).filter(existsSync);
  return (await Promise.all(files.map((file) => readQuestions(file)))).flat();
}

async function measure(folder, encoder) {
  const rows = await questionsIn(folder);
  const questions = flattenQuestions(rows);
  const documents = existsSync(join(folder, "faire.pkl")) ? await database(folder) : passagesOf(rows);
  const indexPath = join(root, "result/bench/hybrid", basename(folder));
  const index = await openIndex(documents, encoder, { ...quiet, indexPath });
  const systems = {
    BM25: bm25Retriever(documents),
    dense: denseRetriever(index, encoder),
    "dense + BM25 of words": hybridRetriever(index, encoder, DEFAULT_BM25_WEIGHT, { pairs: 0 }),
    "and of pairs": hybridRetriever(index, encoder, DEFAULT_BM25_WEIGHT),
  };
  const found = {};
  for (const [name, retriever] of Object.entries(systems)) {
    const { scores } = await evaluateRetriever(retriever, { questions, ks: DEPTHS, depth: 100, ...quiet });
    found[name] = scores.map((score) =>
      Object.fromEntries(Object.entries(score.figures).map(([figure, value]) => [`test_retr/${figure}`, value])),
    );
  }
  const sources = questions.map(sourceOf);
  const names = comparedNames(Object.keys(found.BM25[0]));
  const compare = (from, to) =>
    names.map((figure) => {
      const values = (name) => found[name].map((row) => row[figure]);
      return { from, to, figure, ...pairedDifference(values(from), values(to), { seed, sources }) };
    });
  const differences = [...compare("dense", "and of pairs"), ...compare("dense + BM25 of words", "and of pairs")];
  const shown = Object.entries(found).map(([label, list]) => ({
    label,
    estimates: estimateFigures(list, { seed, sources }),
  }));
  console.log(
    `\n${basename(folder)}: ${questions.length} questions, ${documents.length} passages; in brackets ${intervalNote(shown[0].estimates)}`,
  );
  console.log(describeSplit(splitProcedureOf(rows)));
  console.log(figuresTable(shown));
  console.log(differencesTable(differences));
  const means = (list) =>
    Object.fromEntries(names.map((figure) => [figure, rounded(mean(list.map((row) => row[figure])))]));
  return {
    questions: questions.length,
    passages: documents.length,
    figures: Object.fromEntries(Object.entries(found).map(([name, list]) => [name, means(list)])),
  };
}

const data = requireData();
const folders = [data, join(dirname(data), "databricks")].filter(existsSync);
const encoder = await openEncoder(requireModel("encoder"), { ...quiet, overrides: ENCODER_SETTINGS });
const result = { bench: "hybrid" };
for (const folder of folders) result[basename(folder)] = await measure(folder, encoder);
await encoder.close();
console.log(JSON.stringify(result));
