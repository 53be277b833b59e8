// How long does reordering take? Twenty passages a question, cut so that a pair has about 200 tokens, by a reranker of e5-small-v2's 12 layers and by one of its
// first 6 (a new head each: the time is the same as a trained one's), against sentence-transformers' CrossEncoder on the same folder.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import {
  loadScorer,
  loadTokenizer,
  readSafetensors,
  saveScorer,
  writeSafetensors,
} from "../packages/models/dist/index.js";
import { database, trainingExamples } from "./data.mjs";
import { RERANK_FORMULA } from "./flops.mjs";
import { Measurements, median, ourPrecisions, peer, report, rounded, threads, wanted, worker } from "./measure.mjs";
import { flags, quiet, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const PASSAGES = 20;
const TOKENS = 200;
const DEPTHS = [6, 12];
const PEERS = [
  { precision: "fp32", rows: 8 },
  { precision: "fp32", rows: 20 },
  { precision: "bf16-autocast", rows: 20 },
];

const encoder = requireModel("encoder");
const seed = wholeNumber("seed", 0);
const rounds = flags.quick ? 1 : wholeNumber("rounds", 0);
const count = flags.quick ? 2 : 12;
const data = requireData();

/** Questions with passages of the database, drawn at random and cut to the length. */
async function pairsOfQuestions() {
  const tokenizer = await loadTokenizer(encoder);
  const random = createRandom(seed);
  const documents = await database(data);
  const cutTo = (text, tokens) => {
    const words = text.split(" ");
    let kept = "";
    for (const word of words) {
      const longer = kept === "" ? word : `${kept} ${word}`;
      if (tokenizer.encode(longer).length > tokens) break;
      kept = longer;
    }
    return kept;
  };
  const questions = (await trainingExamples(data, seed)).slice(0, count).map(({ question }) => question);
  return questions.map((question) => {
    const room = TOKENS - tokenizer.encode(question).length;
    const passages = [];
    while (passages.length < PASSAGES) {
      const text = cutTo(documents[random.integer(documents.length)].fmt_content, room);
      if (tokenizer.encode(text).length > room - 20) passages.push(text);
    }
    return passages.map((passage) => [question, passage]);
  });
}

/** A reranker of the encoder's first layers, as train-reranker leaves one. */
async function makeReranker(folder, layers) {
  const cut = join(folder, `encoder-${layers}`);
  mkdirSync(cut);
  const config = JSON.parse(readFileSync(join(encoder, "config.json"), "utf8"));
  writeFileSync(join(cut, "config.json"), JSON.stringify({ ...config, num_hidden_layers: layers }));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(encoder, name), join(cut, name));
  const weights = await readSafetensors(join(encoder, "model.safetensors"));
  const isKept = ([name]) => Number(/layer\.(\d+)\./.exec(name)?.[1] ?? 0) < layers;
  await writeSafetensors(join(cut, "model.safetensors"), [...weights].filter(isKept));
  const reranker = join(folder, `reranker-${layers}`);
  await saveScorer(reranker, await loadScorer(cut, { ...quiet, newHead: seed, truncation: "only_second" }));
  return reranker;
}

const pairs = await pairsOfQuestions();
console.log(`${count} questions of ${PASSAGES} passages, ${threads} threads, ${rounds} rounds`);
await withFolder(async (folder) => {
  for (const layers of DEPTHS) {
    const full = new Measurements({ bench: "rerank", encoder: basename(encoder), seed, layers, questions: count });
    const reranker = await makeReranker(folder, layers);
    for (let round = 0; round < rounds; round++) {
      full.peak();
      for (const { side, precision } of ourPrecisions())
        full.run(side, () => worker(folder, "rerank.mjs", { reranker, pairs, precision }));
      full.run("ours-int8", () => worker(folder, "rerank.mjs", { reranker, pairs, int8: true }));
      for (const { precision, rows } of PEERS) {
        const side = `CrossEncoder-${precision}-${rows}`;
        if (wanted(side)) full.run(side, () => peer(folder, "rerank.py", { reranker, pairs, precision, rows }));
      }
    }
    const [ours] = full.of("ours");
    const milliseconds = {};
    const difference = {};
    for (const side of full.names()) {
      milliseconds[side] = rounded((1000 * median(full.seconds(side))) / count);
      const { logits } = full.of(side)[0];
      difference[side] = rounded(Math.max(...logits.map((value, i) => Math.abs(value - (ours?.logits[i] ?? value)))));
    }
    console.log(`\n${layers} layers`);
    report(`rerank, ${layers} layers`, full, {
      units: ["tokens"],
      formula: RERANK_FORMULA,
      more: { milliseconds_a_question: milliseconds, largest_difference_of_logits: difference, rounds, seed },
    });
  }
});
