// What fine-tuning does to a generator's answers: SmolLM2-135M-Instruct, base and tuned (`--seeds`), with passages found by vectors, by vectors and words,
// reordered, with the gold passages and with none. Two sets of LocalRQA's examples (`--sets`): Databricks (beside Faire's folder), 58 questions of its eval
// split to train on, 16 to choose by, its whole test split to measure; and Faire's first fold by source, 160, 24 and 100 questions. On Faire, trained a second time
// with rows whose passages hold no answer, each question is asked once more from passages that do not answer it. The reranker is trained on Faire's fold. The stages of
// the command line do the work in a folder (`--keep`), and go on where they were stopped.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  createRandom,
  formatTable,
  readQa,
  readQuestions,
  signed,
  sourceOf,
  writeJsonl,
} from "../packages/core/dist/index.js";
import { estimateFigures, pairedDifference } from "../packages/metrics/dist/index.js";
import { CHAT, passagesOf } from "./data.mjs";
import { openFolds, RERANKER } from "./faire-folds.mjs";
import { rounded } from "./measure.mjs";
import { flags, processor, quiet, requireData, requireModel, runStage, wholeNumber } from "./tools.mjs";

const FIGURES = ["test_gen/rougeL", "test_gen/f1"];
const REFUSALS = ["answered_rightly", "answered_wrongly", "refused_rightly", "refused_wrongly"].map(
  (name) => `test_gen/${name}`,
);
/** Questions to train on, to choose by, to measure. */
const SIZES = flags.quick
  ? { databricks: [4, 2, 2], faire: [4, 2, 2] }
  : { databricks: [58, 16, 76], faire: [160, 24, 100] };

const faire = requireData();
const [encoder, decoder] = [requireModel("encoder"), requireModel("decoder")];
const seeds = Array.from({ length: wholeNumber("seeds") }, (_, i) => i + 1);
const sets = (flags.sets ?? "databricks,faire,no-answer").split(",");
const { folds, at, train, work, database } = await openFolds("answers", flags.quick ? { few: 12 } : {});

/** Trained on the parts of the fold whose last part is measured: it has seen none of the questions. */
function rerankerOfFold() {
  const output = at("reranker", 1);
  train(
    "train-reranker",
    1,
    { model_path: encoder, embedding_model: encoder, retrieval: "hybrid", ...RERANKER },
    output,
  );
  return output;
}

const linesOf = (file) =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The database and the rows of a set: to train on, to choose by, to measure. */
const SETS = {
  databricks: async () => {
    const data = join(dirname(faire), "databricks");
    const questions = await Promise.all(
      ["eval", "test"].map((split) => readQuestions(join(data, `${split}_w_q.jsonl`))),
    );
    const [rows, test] = await Promise.all(
      ["eval", "test"].map((split) => readQa(join(data, `${split}_w_qa.jsonl`), quiet.reporter)),
    );
    const [first] = flags.quick ? SIZES.databricks : [58];
    return { passages: passagesOf(questions.flat()), parts: [rows, rows.slice(first), test] };
  },
  faire: async () => {
    const files = ["train", "eval"].map((split) => readQa(join(faire, `${split}_w_qa.jsonl`), quiet.reporter));
    const answered = new Map((await Promise.all(files)).flat().map((row) => [row.question, row]));
    const [fold] = folds;
    const parts = ["train", "eval", "test"].map((split) => {
      const rows = fold[split]
        .flatMap(({ questions }) => questions)
        .flatMap((question) => answered.get(question) ?? []);
      return createRandom(0).shuffle(rows);
    });
    return { database, parts };
  },
};

/** They may take long: what they say is shown. */
const stage = (name, settings) => runStage(name, settings, ["ignore", 2, 2]);
const turns = Object.fromEntries(
  ["system_prefix", "sep_system", "user_prefix", "assistant_prefix", "sep_user", "sep_sys"].map((key) => [
    key,
    CHAT[key].replaceAll("\n", "\\n"),
  ]),
);

/** One set's stages: `trained(name, seed, more)` is a generator's folder, `answers(cell, generator, more)` the rows of a test. */
async function openSet(set) {
  const folder = join(work, "answers", set);
  const inSet = (name) => join(folder, name);
  mkdirSync(folder, { recursive: true });
  const { passages, database: whole = inSet("documents.jsonl"), parts } = await SETS[set]();
  if (passages !== undefined) await writeJsonl(whole, passages);
  for (const [i, split] of ["train", "eval", "test"].entries())
    await writeJsonl(inSet(`${split}_w_qa.jsonl`), parts[i].slice(0, SIZES[set][i]));
  const test = await readQa(inSet("test_w_qa.jsonl"), quiet.reporter);
  const trained = (name, seed, more = {}) => {
    const output = inSet(`${name}-${seed}`);
    if (existsSync(join(output, "choice.json"))) return output;
    console.error(`${set}: train-generator ${output}`);
    const files = { train_file: inSet("train_w_qa.jsonl"), eval_file: inSet("eval_w_qa.jsonl"), output_dir: output };
    const search = { embedding_model: encoder, full_dataset_file_path: whole, full_dataset_index_path: inSet("index") };
    const steps = { per_device_train_batch_size: 4, num_train_epochs: 1, threads: "auto", save_onnx: false, seed };
    const quick = flags.quick ? { max_steps: 1 } : {};
    stage("train-generator", {
      model_name_or_path: decoder,
      ...search,
      ...files,
      ...steps,
      ...quick,
      max_seq_length: 1536,
      ...turns,
      ...more,
    });
    return output;
  };
  const answers = (cell, generator, more) => {
    const output = inSet(cell);
    if (!existsSync(join(output, "score.json"))) {
      console.error(`${set}: test-e2e ${output}`);
      stage("test-e2e", {
        qa_model_name_or_path: generator,
        embedding_model_name_or_path: encoder,
        document_path: whole,
        index_path: inSet("index-test"),
        eval_data_path: inSet("test_w_qa.jsonl"),
        max_seq_length: 1536,
        max_new_tokens: 128,
        output_dir: output,
        ...turns,
        ...more,
      });
    }
    return output;
  };
  return { inSet, test, trained, answers };
}

const figuresOf = (folder) => linesOf(join(folder, "test-predictions.jsonl")).map(({ figures }) => figures);

/** Each question's mean over the seeds. */
function meanOf(lists) {
  return lists[0].map((first, i) =>
    Object.fromEntries(
      Object.keys(first).map((name) => [name, lists.reduce((sum, list) => sum + list[i][name], 0) / lists.length]),
    ),
  );
}

const interval = ({ low, high }) => `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
const plain = (figure) => figure.replace("test_gen/", "");

function compared(label, figure, before, after, sources) {
  const options = { seed: 0, sources };
  const [from, to] = [before, after].map((list) => estimateFigures(list, options)[figure]);
  const values = [before, after].map((list) => list.map((row) => row[figure]));
  const change = pairedDifference(values[0], values[1], options);
  return {
    row: {
      passages: label,
      figure: plain(figure),
      before: `${from.mean.toFixed(3)} ${interval(from)}`,
      after: `${to.mean.toFixed(3)} ${interval(to)}`,
      change: `${signed(change.difference)} ${interval(change)}`,
    },
    figures: {
      before: rounded(from.mean),
      after: rounded(to.mean),
      low: rounded(change.low),
      high: rounded(change.high),
    },
  };
}

function show(title, rows) {
  console.log(`\n${title}`);
  console.log(formatTable(rows, Object.keys(rows[0])));
}

const result = { bench: "answers", seeds: seeds.length, processor };
const reranker = rerankerOfFold();
const SEARCHES = {
  dense: {},
  hybrid: { retrieval: "hybrid" },
  reranked: { retrieval: "hybrid", reranker },
};
const hybridWithout = { ...SEARCHES.hybrid, no_answer_eval: true };
/** Faire's hybrid tests ask a second time, too: both parts below read them. */
const hybridOf = (set) => (set === "faire" ? hybridWithout : SEARCHES.hybrid);

/** Base and tuned generator by what is in the prompt. */
async function byPassages(set) {
  const { test, trained, answers } = await openSet(set);
  const sources = test.map((row) => sourceOf(row));
  const cells = {};
  for (const seed of seeds) {
    const tuned = trained("tuned", seed);
    // One test of the first seed has base and tuned generator with no passages and with the gold ones, too.
    const dense = answers(`dense-tuned-${seed}`, tuned, seed === 1 ? { compare_base: true } : {});
    if (seed === 1) {
      for (const kind of ["no-passages", "gold-passages"])
        cells[kind] = ["base", "tuned"].map((which) => [figuresOf(join(dense, `cells/${kind}_${which}-generator`))]);
      cells.dense = [[figuresOf(join(dense, "cells/tuned-retriever_base-generator"))], []];
    }
    cells.dense[1].push(figuresOf(dense));
    for (const search of ["hybrid", "reranked"]) {
      const more = search === "hybrid" ? hybridOf(set) : SEARCHES[search];
      cells[search] ??= [[figuresOf(answers(`${search}-base`, decoder, more))], []];
      cells[search][1].push(figuresOf(answers(`${search}-tuned-${seed}`, tuned, more)));
    }
  }
  const rows = [];
  const passages = {};
  for (const [cell, [before, after]] of Object.entries(cells)) {
    passages[cell] = {};
    for (const figure of FIGURES) {
      const { row, figures } = compared(cell, figure, meanOf(before), meanOf(after), sources);
      rows.push(row);
      passages[cell][plain(figure)] = figures;
    }
  }
  show(
    `${set}: ${test.length} questions of ${new Set(sources).size} sources, ${seeds.length} seeds (one with no and with gold passages)`,
    rows,
  );
  const reordered = FIGURES.map(
    (figure) =>
      compared("hybrid, then reranked", figure, meanOf(cells.hybrid[1]), meanOf(cells.reranked[1]), sources).row,
  );
  show("tuned: by hybrid search, and reordered", reordered);
  return { questions: test.length, passages };
}

/** Faire's questions asked from passages that hold the answer, and from those that do not: trained on rows of both kinds, or on the first alone. */
async function withoutAnswers() {
  const { test, trained, answers } = await openSet("faire");
  const sources = test.map((row) => sourceOf(row));
  const base = [figuresOf(answers("hybrid-base", decoder, hybridWithout))];
  const of = (name, more) =>
    seeds.map((seed) => figuresOf(answers(`hybrid-${name}-${seed}`, trained(name, seed, more), hybridWithout)));
  const [tuned, refusing] = [of("tuned"), of("refusing", { no_answer_share: 0.25 })];
  const found = {};
  for (const [title, before, after] of [
    ["base, and tuned without such rows", base, tuned],
    ["tuned without, and with a quarter of rows whose passages hold no answer", tuned, refusing],
  ]) {
    const rows = [];
    found[title] = {};
    for (const figure of [...REFUSALS, ...FIGURES]) {
      const { row, figures } = compared("hybrid", figure, meanOf(before), meanOf(after), sources);
      rows.push(row);
      found[title][plain(figure)] = figures;
    }
    show(`faire: ${title}; ${test.length} questions of ${new Set(sources).size} sources, ${seeds.length} seeds`, rows);
  }
  return found;
}

for (const set of sets) result[set] = await (set === "no-answer" ? withoutAnswers() : byPassages(set));
console.log(JSON.stringify(result));
