// Our metrics against the Python packages that define them, on random and adversarial cases: rankings with ties, graded relevance and
// several gold passages; empty texts, texts without a word, many scripts, what tokenisers trip over. Ends with the worst difference of each.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import * as ours from "../packages/metrics/dist/index.js";
import { python, wholeNumber, withFolder } from "./tools.mjs";

const TEXTS = 400;
const RANKINGS = 400;
const LISTS = 120;
const CORPORA = 20;
const DEPTHS = [1, 2, 3, 4, 5, 10, 20, 100];
const TOLERANCE = 1e-9;
/** Figures that the package gives as 32-bit floats. */
const SINGLE_PRECISION = 1e-6;

const seed = wholeNumber("seed", 0);
const random = createRandom(seed);
const pick = (list) => list[random.integer(list.length)];
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const PIECES = [
  ..."the a an of to cluster clusters running runs table tables set sets query queries is are was be not 1 2 10".split(
    " ",
  ),
  ..."data configuration configured configuring generalization generally nationality dying flies universities".split(
    " ",
  ),
  ...[
    "1,000.5",
    "3.14",
    "5-6",
    "v2.0",
    "e.g.",
    "U.S.",
    "don't",
    "state-of-the-art",
    "snake_case",
    "x=1;",
    "(see",
    "below)",
    "[1]",
  ],
  ...[
    ".",
    ",",
    "!",
    "?",
    "--",
    "...",
    ",,",
    "''",
    '"',
    "`",
    "$5",
    "50%",
    "#",
    "@me",
    "/path/to",
    "\\n",
    "{",
    "}",
    "~",
    "^",
  ],
  ...["&amp;", "&lt;b&gt;", "&quot;", "&amp;lt;", "&", "<skipped>", "-\n", "\n", "\t", "\r\n"],
  ...[
    "é",
    "e\u0301",
    "Zürich",
    "señor",
    "naïve",
    "İstanbul",
    "\u212a",
    "ẞ",
    "ΣΑΣ",
    "ключ",
    "Ключ",
    "数据库",
    "集群",
    "データ",
    "한국어",
  ],
  ...[
    "हिन्दी",
    "עברית",
    "العربية",
    "ไทย",
    "🚀",
    "👩‍💻",
    "𝒳",
    "\u00a0",
    "\u2003",
    "\u3000",
    "\ufeff",
    "\x1f",
    "\x85",
    "\u200b",
  ],
];
const COUNTS = [0, 1, 2, 3, 5, 12, 40];
const SEPARATORS = [" ", " ", " ", "", "  ", "\n", ". "];

function randomText() {
  return times(pick(COUNTS), () => pick(PIECES) + pick(SEPARATORS)).join("");
}

/** Another text that shares much with the first: words dropped, doubled, exchanged, moved. */
function variant(text) {
  const words = text.split(" ").flatMap((word) => {
    const u = random.next();
    if (u < 0.15) return [];
    if (u < 0.25) return [word, word];
    return u < 0.4 ? [pick(PIECES)] : [word];
  });
  return (random.next() < 0.3 ? random.shuffle(words) : words).join(pick([" ", " ", "  ", "\n"]));
}

function textPair() {
  const gold = randomText();
  const u = random.next();
  if (u < 0.1) return { gold, predicted: randomText() };
  return { gold, predicted: u < 0.2 ? gold : variant(gold) };
}

const IDS = [...times(60, (i) => `d${i}`), "é", "e\u0301", "日本", "🚀", "D1", "d", "d01", "doc with space", "Ω"];

function ranking(number) {
  const retrieved = random.sample(IDS, 1 + random.integer(IDS.length));
  // All different, some equal, all equal, and pairs that only double precision tells apart.
  const score = [
    (_, i) => -i / 3,
    () => random.integer(6) / 7,
    () => 0.5,
    (_, i) => 0.1 * Math.floor(i / 2) + 1e-10 * (i % 2),
  ][number % 4];
  const order = random.shuffle(retrieved);
  const relevant = random.sample(IDS, 1 + random.integer(number % 3 === 0 ? 1 : 12));
  const gold = Object.fromEntries(relevant.map((id) => [id, number % 2 === 0 ? 1 : random.integer(4)]));
  // trec_eval knows no question without a gold passage.
  gold[relevant[0]] = 1 + random.integer(3);
  return {
    scores: Object.fromEntries(order.map((id, i) => [id, score(id, i)])),
    gold,
    ties: number % 4 !== 0,
  };
}

const cases = {
  depths: DEPTHS,
  pairs: times(TEXTS, textPair),
  rankings: times(RANKINGS, ranking),
  lists: times(LISTS, () => {
    const { gold, predicted } = textPair();
    return { references: [gold, ...times(random.integer(4), () => variant(gold))], candidate: predicted };
  }),
  corpora: times(CORPORA, () => times(1 + random.integer(40), textPair)),
  shares: times(100, () => {
    const n = 1 + random.integer(2000);
    return { successes: random.integer(n + 1), n };
  }),
  signs: times(100, () => ({ wins: random.integer(200), losses: 1 + random.integer(200) })),
  raters: times(60, () => {
    const n = 2 + random.integer(80);
    const a = times(n, () => pick(["x", "y", "z"]));
    return { a, b: a.map((label) => (random.next() < 0.6 ? label : pick(["x", "y", "z", "é"]))) };
  }),
};

const worst = {};
function compare(name, actual, expected, tolerance = TOLERANCE) {
  worst[name] ??= { worst: 0, compared: 0, tolerance };
  const entry = worst[name];
  entry.compared++;
  const difference = Math.abs(actual - expected);
  if (!(difference <= entry.worst)) entry.worst = difference;
}

const theirs = await withFolder((folder) => {
  const file = join(folder, "cases.json");
  writeFileSync(file, JSON.stringify(cases));
  return python("metrics.py", file);
});

cases.pairs.forEach(({ gold, predicted }, i) => {
  const expected = theirs.pairs[i];
  for (const stem of [false, true]) {
    const rouge = ours.rougeScore(gold, predicted, { stem });
    for (const [metric, scores] of Object.entries(rouge))
      for (const [part, value] of Object.entries(scores))
        compare(`${metric}${stem ? " stemmed" : ""}`, value, expected[stem ? "rouge_stemmed" : "rouge"][metric][part]);
  }
  const squad = ours.squadScore(gold, predicted);
  for (const [part, value] of Object.entries(squad)) compare(`squad ${part}`, value, expected.squad[part]);
  for (const part of ["f1", "exact_match"])
    if (expected.torchmetrics)
      compare(`squad ${part}, torchmetrics`, squad[part], expected.torchmetrics[part], SINGLE_PRECISION);
  compare("bleu, one reference", ours.sentenceBleu([gold], predicted), expected.bleu);
});
cases.lists.forEach(({ references, candidate }, i) => {
  compare("bleu, several references", ours.sentenceBleu(references, candidate), theirs.lists[i]);
});
cases.corpora.forEach((pairs, i) => {
  const texts = pairs.map(({ gold, predicted }) => ({ references: [gold], candidate: predicted }));
  compare("bleu, corpus", ours.corpusBleu(texts), theirs.corpora[i]);
});
cases.rankings.forEach(({ scores, gold, ties }, i) => {
  const retrieved = ours.rankByScore(new Map(Object.entries(scores)));
  const relevance = new Map(Object.entries(gold));
  const ids = Object.keys(gold).filter((id) => gold[id] > 0);
  const figures = {
    mrr: ours.reciprocalRank(retrieved, ids),
    map: ours.averagePrecision(retrieved, ids),
    ...Object.fromEntries(
      DEPTHS.flatMap((k) => [
        [`recall@${k}`, ours.recallAtK(retrieved, ids, k)],
        [`ndcg@${k}`, ours.ndcgAtK(retrieved, relevance, k)],
        [`map@${k}`, ours.averagePrecision(retrieved, ids, k)],
      ]),
    ),
  };
  for (const [name, value] of Object.entries(figures)) {
    const metric = name.split("@")[0];
    compare(`${metric}, pytrec_eval`, value, theirs.pytrec_eval[i][name]);
    // ranx leaves the order of equal scores open.
    if (!ties) compare(`${metric}, ranx`, value, theirs.ranx[i][name]);
  }
});
cases.shares.forEach(({ successes, n }, i) => {
  const { low, high } = ours.wilsonInterval(successes, n);
  compare("wilson interval", low, theirs.shares[i].low);
  compare("wilson interval", high, theirs.shares[i].high);
});
cases.signs.forEach(({ wins, losses }, i) => {
  compare("sign test", ours.signTest(wins, losses), theirs.signs[i]);
});
cases.raters.forEach(({ a, b }, i) => {
  // Both raters with one and the same label: not defined, here and there.
  if (theirs.raters[i] === null)
    compare("kappa", Number.isNaN(ours.cohensKappa(a, b, { resamples: 2 }).kappa) ? 0 : 1, 0);
  else compare("kappa", ours.cohensKappa(a, b, { resamples: 2 }).kappa, theirs.raters[i]);
});

const width = Math.max(...Object.keys(worst).map((name) => name.length));
for (const [name, entry] of Object.entries(worst))
  console.log(`${name.padEnd(width)}  ${entry.worst.toExponential(1)}  over ${entry.compared} figures`);
const failed = Object.entries(worst).filter(([, entry]) => !(entry.worst <= entry.tolerance));
for (const [name, entry] of failed) console.error(`${name} differs by ${entry.worst}: more than ${entry.tolerance}`);
const double = Object.values(worst).filter(({ tolerance }) => tolerance === TOLERANCE);
console.log(
  JSON.stringify({
    bench: "metrics",
    cases: TEXTS + RANKINGS + LISTS + CORPORA + cases.shares.length + cases.signs.length + cases.raters.length,
    tied_rankings: cases.rankings.filter(({ ties }) => ties).length,
    worst: Math.max(...double.map((entry) => entry.worst)),
    by_metric: Object.fromEntries(Object.entries(worst).map(([name, entry]) => [name, entry.worst])),
    seed,
    versions: theirs.versions,
  }),
);
if (failed.length > 0) process.exit(1);
