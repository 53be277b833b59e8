// pnpm bench loop: the way from a first training to a second one that has learned from its users. Trains and tests as configs/quickstart.yaml does, but
// without 20 of its questions; serves that; asks the 20 as the chat page does, and votes; collects; trains and tests again with what was collected.
// Nobody sits before the page: each vote is by the answer that the question was made with. `--quick`: few documents and few steps.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { formatTable, writeJsonl } from "../packages/core/dist/index.js";
import { rougeScore } from "../packages/metrics/dist/index.js";
import { startServer } from "./stages.mjs";
import { flags, processor, root, wholeNumber } from "./tools.mjs";

const MAIN = join(root, "packages/cli/dist/main.js");
const CONFIG = join(root, "configs/quickstart.yaml");
const WORK = join("result", flags.quick ? "loop-quick" : "loop");
const [FIRST, SECOND] = ["first", "second"].map((name) => join(WORK, name));
const ASKED = wholeNumber("number") ?? 20;
/** A user finds an answer right that shares so much with the one they know. */
const RIGHT = 0.5;
const QUICK = [
  "prepare-docs.document_path=node_modules/.pnpm/{mdast,micromark,unist}*/node_modules/*/**/*.md",
  "train-retriever.num_train_epochs=1",
  "train-generator.num_train_epochs=2",
  "test-e2e.max_new_tokens=32",
];

/** The built command, its log shown as it comes; returns what it printed. */
function ragFt(...args) {
  const { status, stdout } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

const set = (settings) => settings.flatMap((one) => ["--set", one]);
const runStages = (folder, data, ...which) =>
  ragFt(
    "run",
    CONFIG,
    ...which,
    ...set([
      `work_dir=${folder}`,
      `vars.documents=${join(FIRST, "documents.jsonl")}`,
      ...(data ? [`vars.questions=${data}`, `vars.answers=${data}`] : []),
      ...(flags.quick ? QUICK : []),
    ]),
  );

const inRoot = (path) => join(root, path);
const rowsOf = (path) => {
  const lines = readFileSync(inRoot(path), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
};
const passageOf = ({ gold_docs: [gold] }) => JSON.stringify([gold.metadata.source, gold.page_content]);

/** Takes questions, evenly spaced, out of the training set; nothing else about their passages stays in it. */
async function holdBack(data) {
  const answers = rowsOf(join(FIRST, "answers/train_w_qa.jsonl"));
  const questions = rowsOf(join(FIRST, "questions/train_w_q.jsonl"));
  const asked = Array.from({ length: ASKED }, (_, i) => answers[Math.floor(((i + 0.5) * answers.length) / ASKED)]);
  const passages = new Set(asked.map(passageOf));
  const others = (rows) => rows.filter((row) => !passages.has(passageOf(row)));
  await writeJsonl(inRoot(join(data, "train_w_qa.jsonl")), others(answers));
  await writeJsonl(inRoot(join(data, "train_w_q.jsonl")), others(questions));
  for (const split of ["eval", "test"]) {
    for (const [folder, kind] of [
      ["questions", "w_q"],
      ["answers", "w_qa"],
    ]) {
      const name = `${split}_${kind}.jsonl`;
      await writeJsonl(inRoot(join(data, name)), rowsOf(join(FIRST, folder, name)));
    }
  }
  return asked;
}

async function post(address, path, body) {
  const response = await fetch(`${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.text();
}

/** One question as the page sends it: streamed, to be kept. */
async function ask(address, question) {
  const messages = [{ role: "user", content: question }];
  const text = await post(address, "v1/chat/completions", { model: "rag-ft", messages, stream: true, store: true });
  const events = text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice(6)));
  const failed = events.find(({ error }) => error);
  if (failed) throw new Error(failed.error.message);
  return {
    id: events[0].id,
    answer: events
      .map(({ choices }) => choices?.[0]?.delta?.content ?? "")
      .join("")
      .trim(),
  };
}

async function askAndVote(asked) {
  const server = await startServer([FIRST, "--port", "0"]);
  const votes = { up: 0, down: 0 };
  try {
    for (const { question, gold_answer } of asked) {
      const { id, answer } = await ask(server.address, question);
      const vote = rougeScore(gold_answer, answer).rougeL.fmeasure >= RIGHT ? "up" : "down";
      votes[vote]++;
      await post(server.address, "v1/votes", { id, vote });
    }
  } finally {
    await server.close();
  }
  return votes;
}

const figuresOf = (folder) => JSON.parse(readFileSync(inRoot(join(folder, "test-tuned/score.json")), "utf8"));
const SHOWN = {
  "test_retr/document_recall/recall1": "recall@1",
  "test_retr/document_recall/recall4": "recall@4",
  "test_gen/rougeL": "ROUGE-L",
  "test_gen/f1": "F1",
};

const startedAt = performance.now();
rmSync(inRoot(WORK), { recursive: true, force: true });
mkdirSync(inRoot(WORK), { recursive: true });
const [dataBefore, dataAfter] = [FIRST, SECOND].map((folder) => join(folder, "data"));
runStages(FIRST, undefined, "--only", "prepare-docs,gen-questions,gen-answers");
const asked = await holdBack(dataBefore);
console.log(runStages(FIRST, dataBefore, "--from", "train-retriever"));
const votes = await askAndVote(asked);
console.log(`${asked.length} questions asked at ${FIRST}'s server: ${votes.up} voted up, ${votes.down} voted down`);
console.log(
  ragFt(
    "collect",
    FIRST,
    ...["--save_dir", dataAfter, "--dataset", dataBefore, "--document_path", join(FIRST, "documents.jsonl")],
  ),
);
console.log(runStages(SECOND, dataAfter, "--only", "train-retriever,train-generator,test-tuned"));

const files = ["train_w_q", "train_w_qa", "eval_w_q", "eval_w_qa", "test_w_qa"];
const rows = [];
for (const file of files) {
  const [before, after] = [dataBefore, dataAfter].map((data) => rowsOf(join(data, `${file}.jsonl`)));
  rows.push({ file: `${file}.jsonl`, before: before.length, after: after.length });
}
const [before, after] = [FIRST, SECOND].map(figuresOf);
const figures = Object.entries(SHOWN).map(([name, figure]) => ({
  figure,
  before: before[name].toFixed(3),
  after: after[name].toFixed(3),
}));
console.log(`Rows\n${formatTable(rows, ["file", "before", "after"])}\n`);
console.log(`The fine-tuned system on the same test\n${formatTable(figures, ["figure", "before", "after"])}\n`);
console.log(ragFt("compare", join(FIRST, "test-tuned"), join(SECOND, "test-tuned"), "--examples", "0"));
const seconds = Math.round((performance.now() - startedAt) / 1000);
console.log(
  JSON.stringify({
    bench: "loop",
    processor,
    quick: flags.quick,
    folder: relative(root, inRoot(WORK)),
    votes,
    rows: Object.fromEntries(rows.map(({ file, ...counts }) => [file, counts])),
    before: Object.fromEntries(Object.keys(SHOWN).map((name) => [name, before[name]])),
    after: Object.fromEntries(Object.keys(SHOWN).map((name) => [name, after[name]])),
    seconds,
  }),
);
