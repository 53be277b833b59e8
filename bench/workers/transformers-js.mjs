// transformers.js' side of bench/embed.mjs: its pipeline on the folder that we export, texts sorted by length, in batches. Prints JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { flags } from "../tools.mjs";

const require = createRequire(new URL("../../packages/models/package.json", import.meta.url));
const { env, pipeline } = await import(require.resolve("@huggingface/transformers"));
env.allowRemoteModels = false;

const { exported, overrides, texts, warmup, sample, rows, threads } = JSON.parse(readFileSync(flags.request, "utf8"));
const extract = await pipeline("feature-extraction", exported, {
  dtype: "fp32",
  session_options: threads > 0 ? { intraOpNumThreads: threads } : {},
});

async function embed(list) {
  const prefixed = list.map((text) => overrides.passage_prefix + text);
  const order = prefixed.map((_, i) => i).sort((a, b) => prefixed[b].length - prefixed[a].length);
  const vectors = new Array(list.length);
  for (let start = 0; start < order.length; start += rows) {
    const picked = order.slice(start, start + rows);
    const made = await extract(
      picked.map((i) => prefixed[i]),
      { pooling: overrides.pooling, normalize: true },
    );
    const width = made.dims[1];
    picked.forEach((row, i) => {
      vectors[row] = made.data.subarray(i * width, (i + 1) * width);
    });
  }
  return vectors;
}

await embed(warmup);
const began = performance.now();
const vectors = await embed(texts);
const seconds = (performance.now() - began) / 1000;
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
const tokens = texts.reduce(
  (sum, text) => sum + Math.min(overrides.max_length, extract.tokenizer.encode(overrides.passage_prefix + text).length),
  0,
);
console.log(
  JSON.stringify({
    seconds: [seconds],
    tokens: [tokens],
    vectors: vectors.slice(0, sample).map((vector) => [...vector]),
    peak_rss_mb: peak,
    versions: { "transformers.js": env.version },
  }),
);
process.exit(0);
