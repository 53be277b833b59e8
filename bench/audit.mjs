// How often does audit-splits raise a false alarm? Splits without leaks are made of real data: sources go whole into one of two halves, and of the
// pairs of passages that remain, those that contain each other are leaks by definition, whatever their source. What is left to be wrong are
// paraphrases: two questions whose gold passages have neither source nor text in common. They are counted, and shown to be judged by eye.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { auditRows } from "../packages/audit-splits/dist/index.js";
import { createRandom, readQuestions } from "../packages/core/dist/index.js";
import { areNear, shingles } from "../packages/text/dist/index.js";
import { requireData } from "./tools.mjs";

const ROUNDS = 5;
const options = { passageOverlap: 0.8, questionOverlap: 0.8, chunkWords: 8 };
const files = ["train", "eval", "test"].map((split) => join(requireData(), `${split}_w_q.jsonl`));
const read = await Promise.all(files.filter(existsSync).map((file) => readQuestions(file)));
const rows = read.flat().flatMap(({ questions, gold_docs }) => questions.map((question) => ({ question, gold_docs })));

const random = createRandom(0);
let pairs = 0;
let questions = 0;
const alarms = [];
for (let round = 0; round < ROUNDS; round++) {
  const half = new Map();
  for (const { gold_docs } of rows)
    for (const { metadata } of gold_docs)
      if (!half.has(metadata.source)) half.set(metadata.source, random.next() < 0.5 ? 0 : 1);
  const halves = [0, 1].map((side) => rows.filter(({ gold_docs }) => half.get(gold_docs[0].metadata.source) === side));
  const texts = new Map(rows.map(({ question, gold_docs }) => [question, shingles(gold_docs[0].page_content)]));
  const leaks = await auditRows(
    halves.map((rows, side) => ({ split: String(side), rows })),
    options,
  );
  pairs += halves[0].length * halves[1].length;
  questions += rows.length;
  for (const { kind, items } of leaks) {
    if (!kind.endsWith("_question") || kind === "duplicate_question") continue;
    if (!areNear(texts.get(items[0]), texts.get(items[1]))) alarms.push(items);
  }
}
for (const [a, b] of alarms.slice(0, 10)) console.log(`${a} | ${b}`);
console.log(
  JSON.stringify({
    bench: "audit",
    rounds: ROUNDS,
    questions: rows.length,
    pairs,
    paraphrases_of_unrelated_passages: alarms.length,
    per_million_pairs: Math.round((alarms.length / pairs) * 1e7) / 10,
    share_of_questions: Math.round((alarms.length / questions) * 1e4) / 1e4,
  }),
);
