// BM25 in packages/retrieval against the libraries of npm: recall on LocalRQA's Faire example and time a query, there and over 100,000
// passages. The libraries are no dependencies: put them where the message says, or only ours is measured.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRandom, documentKey } from "../packages/core/dist/index.js";
import { Bm25Index, lexicalTokens, PAIRS_WEIGHT } from "../packages/retrieval/dist/index.js";
import { database, evaluationExamples } from "./data.mjs";
import { rounded, wanted } from "./measure.mjs";
import { flags, requireData, root } from "./tools.mjs";

const LIBRARIES = ["minisearch", "wink-bm25-text-search", "@orama/orama"];
const folder = join(root, "result/bench/bm25-libraries");
const SIZE = flags.quick ? 10_000 : 100_000;
const DEPTH = 10;

async function load(name) {
  const { resolve } = createRequire(join(folder, "package.json"));
  const module = await import(pathToFileURL(resolve(name)).href);
  return module.default ?? module;
}

const sameTokens = { tokenize: lexicalTokens };
/** Each: texts to a function from a question to the places of the best passages. Words, k1 and b are the same on every side. */
const sides = {
  ours: (texts) => {
    const index = new Bm25Index(texts);
    return (question) => [...index.search([question], DEPTH)[0].ids];
  },
  "with pairs of words, as in hybrid search": (texts) => {
    const index = new Bm25Index(texts, { pairs: PAIRS_WEIGHT });
    return (question) => [...index.search([question], DEPTH)[0].ids];
  },
};
if (existsSync(join(folder, "node_modules"))) {
  const [MiniSearch, wink, orama] = await Promise.all(LIBRARIES.map(load));
  sides.minisearch = (texts) => {
    const index = new MiniSearch({ fields: ["text"], ...sameTokens, processTerm: (term) => term });
    index.addAll(texts.map((text, id) => ({ id, text })));
    return (question) =>
      index
        .search(question, { bm25: { k: 1.2, b: 0.75, d: 0 } })
        .slice(0, DEPTH)
        .map(({ id }) => id);
  };
  sides["wink-bm25-text-search"] = (texts) => {
    const index = wink();
    index.defineConfig({ fldWeights: { text: 1 }, bm25Params: { k1: 1.2, b: 0.75, k: 1 } });
    index.definePrepTasks([lexicalTokens]);
    texts.forEach((text, id) => {
      index.addDoc({ text }, id);
    });
    index.consolidate(9);
    return (question) => index.search(question, DEPTH).map(([id]) => Number(id));
  };
  sides["@orama/orama"] = async (texts) => {
    const tokenizer = { language: "english", normalizationCache: new Map(), ...sameTokens };
    const index = orama.create({ schema: { text: "string" }, components: { tokenizer } });
    const rows = texts.map((text, id) => ({ id: String(id), text }));
    await orama.insertMultiple(index, rows, 2000);
    return async (question) => {
      const found = await orama.search(index, {
        term: question,
        properties: ["text"],
        limit: DEPTH,
        threshold: 1,
        relevance: { k: 1.2, b: 0.75, d: 0 },
      });
      return found.hits.map(({ id }) => Number(id));
    };
  };
} else {
  console.log(`Only ours is measured. For the libraries: npm install --prefix ${folder} ${LIBRARIES.join(" ")}`);
}

const data = requireData();
const documents = await database(data);
const questions = await evaluationExamples(data);
const places = new Map(documents.map((document, place) => [documentKey(document), place]));
const gold = questions.map((row) => places.get(documentKey(row.gold_docs[0])));
const texts = documents.map((document) => document.fmt_content);

/** Passages like those of the data: one of them with three of ten words exchanged for others of the vocabulary. */
function grown(count) {
  const random = createRandom(1);
  const tokens = texts.map(lexicalTokens);
  const vocabulary = [...new Set(tokens.flat())];
  const made = [...texts];
  while (made.length < count) {
    const words = tokens[random.integer(tokens.length)];
    made.push(
      words.map((word) => (random.next() < 0.3 ? vocabulary[random.integer(vocabulary.length)] : word)).join(" "),
    );
  }
  return made;
}

async function measure(open, passages) {
  const start = performance.now();
  const search = await open(passages);
  const build_s = (performance.now() - start) / 1000;
  const found = [];
  const times = [];
  for (const round of [0, 1]) {
    for (const [i, { question }] of questions.entries()) {
      const before = performance.now();
      found[i] = await search(question);
      if (round === 1) times.push(performance.now() - before);
    }
  }
  times.sort((a, b) => a - b);
  const recall = (k) => found.filter((ids, i) => ids.slice(0, k).includes(gold[i])).length / found.length;
  return {
    recall1: rounded(recall(1)),
    recall4: rounded(recall(4)),
    ms_median: rounded(times[Math.floor(times.length / 2)]),
    ms_most: rounded(times.at(-1)),
    build_s: rounded(build_s),
  };
}

const result = { bench: "bm25", questions: questions.length, passages: {} };
for (const [size, passages] of [
  [texts.length, texts],
  [SIZE, grown(SIZE)],
]) {
  result.passages[size] = {};
  for (const [side, open] of Object.entries(sides)) {
    if (!wanted(side)) continue;
    const figures = await measure(open, passages);
    result.passages[size][side] = figures;
    console.log(
      `${size} passages, ${side}: recall@1 ${figures.recall1}, recall@4 ${figures.recall4}, ` +
        `${figures.ms_median} ms a query (at most ${figures.ms_most}), built in ${figures.build_s} s`,
    );
  }
}
console.log(JSON.stringify(result));
