// Our side of bench/embed.mjs. Prints JSON.
import { readFileSync } from "node:fs";
import { loadTokenizer, openEncoder } from "../../packages/models/dist/index.js";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { encoderFlops } from "../flops.mjs";
import { flags, quiet } from "../tools.mjs";

const {
  encoder: folder,
  overrides,
  precision,
  texts,
  warmup,
  sample,
} = JSON.parse(readFileSync(flags.request, "utf8"));
const encoder = await openEncoder(folder, { ...quiet, overrides, precision });
await encoder.embed(warmup, "passage");
const began = performance.now();
const vectors = await encoder.embed(texts, "passage");
const seconds = (performance.now() - began) / 1000;
const peak = peakRssMb();
const tokenizer = await loadTokenizer(folder);
const lengths = texts.map((text) =>
  Math.min(overrides.max_length, tokenizer.encode(overrides.passage_prefix + text).length),
);
console.log(
  JSON.stringify({
    seconds: [seconds],
    tokens: [lengths.reduce((a, b) => a + b, 0)],
    flops: [encoderFlops(folder, lengths)],
    vectors: Array.from({ length: sample }, (_, i) => [
      ...vectors.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions),
    ]),
    peak_rss_mb: peak,
  }),
);
process.exit(0);
