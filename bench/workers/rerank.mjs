// Our side of bench/rerank.mjs: a question at a time, as a search asks. Prints JSON.
import { readFileSync } from "node:fs";
import { loadTokenizer, openScorer } from "../../packages/models/dist/index.js";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { rerankerFlops } from "../flops.mjs";
import { flags, quiet } from "../tools.mjs";

const { reranker, pairs, threads, int8, precision } = JSON.parse(readFileSync(flags.request, "utf8"));
const scorer = await openScorer(reranker, { ...quiet, truncation: "only_second", threads, int8, precision });
await scorer.logits(pairs[0]);
const logits = [];
const began = performance.now();
for (const of of pairs) logits.push(...(await scorer.logits(of)));
const seconds = (performance.now() - began) / 1000;
const tokenizer = await loadTokenizer(reranker);
// [CLS] and two [SEP]: one less than both texts have alone.
const lengths = pairs.flat().map(([a, b]) => tokenizer.encode(a).length + tokenizer.encode(b).length - 1);
console.log(
  JSON.stringify({
    seconds: [seconds],
    tokens: [lengths.reduce((sum, length) => sum + length, 0)],
    flops: [rerankerFlops(reranker, lengths)],
    logits,
    peak_rss_mb: peakRssMb(),
  }),
);
process.exit(0);
