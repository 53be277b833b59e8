// Our side of bench/retriever.mjs: steps of contrastive training by train-retriever's own parts. Prints JSON.
import { readFileSync } from "node:fs";
import { createRandom } from "../../packages/core/dist/index.js";
import { createTrainableEncoder, loadEncoder, saveEncoder, WindowedDropout } from "../../packages/models/dist/index.js";
import { createContrastiveLoss, OptimizerLoop, peakRssMb, seedFor } from "../../packages/train/dist/index.js";
import {
  composeBatch,
  contrastiveStep,
  TokenCache,
  trainRetrieverSettings,
} from "../../packages/train-retriever/dist/index.js";
import { encoderFlops } from "../flops.mjs";
import { flags, quiet } from "../tools.mjs";

const request = JSON.parse(readFileSync(flags.request, "utf8"));
const {
  encoder: folder,
  overrides,
  temperature,
  settings,
  threads,
  warmup,
  batches,
  save,
  hard_neg_ratio = 0,
  precision,
} = request;
const encoder = await loadEncoder(folder, { ...quiet, overrides });
const activationBytes = trainRetrieverSettings.shape.activation_memory.parse(request.activation_memory) * 2 ** 20;
const dropout = request.dropout ? new WindowedDropout(request.dropout) : undefined;
const model = await createTrainableEncoder(encoder, { threads, precision, activationBytes, dropout });
const loss = await createContrastiveLoss({
  dimensions: encoder.graph.dimensions,
  similarity: encoder.settings.similarity,
  temperature,
});
const parameters = [...encoder.weights].map(([name, weight]) => ({ name, ...weight }));
const optimizer = new OptimizerLoop(settings, request.steps ?? batches.length + 1);
const seed = request.seed ?? 0;
const random = createRandom(seed);
let steps = 0;

/** A step from texts to new weights. Tokens are made anew each time, as the peers make them. */
async function step(batch) {
  const began = performance.now();
  const composed = composeBatch(batch, hard_neg_ratio, random);
  const cache = new TokenCache(model);
  dropout?.draw(seedFor(seed, "dropout", steps++));
  const result = await contrastiveStep(model, loss, cache, composed, 1);
  await optimizer.step(parameters, model.gradients);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, ...result, composed, rss_mb: Math.round(process.memoryUsage.rss() / 2 ** 20) };
}

if (warmup) await step(warmup);
const done = [];
for (const batch of batches) done.push(await step(batch));

const cache = new TokenCache(model);
const lengths = done[0].composed.queries
  .map((query) => cache.tokens(query, "query").length)
  .concat(done[0].composed.passages.map((passage) => cache.tokens(passage.fmt_content, "passage").length));
if (save) await saveEncoder(save, encoder);
console.log(
  JSON.stringify({
    seconds: done.map(({ seconds }) => seconds),
    losses: done.map(({ loss }) => loss),
    rss_mb: done.map(({ rss_mb }) => rss_mb),
    pairs: batches[0].length,
    tokens: done[0].tokens,
    texts: lengths.length,
    flops: 3 * encoderFlops(folder, lengths),
    peak_rss_mb: peakRssMb(),
  }),
);
process.exit(0);
