// Our side of bench/generator.mjs: steps of training on answers by train-generator's own parts. Prints JSON.
import { readFileSync } from "node:fs";
import { createTrainableDecoder, decoderAdapters, loadDecoder } from "../../packages/models/dist/index.js";
import { OptimizerLoop, peakRssMb } from "../../packages/train/dist/index.js";
import { answerBatches } from "../../packages/train-generator/dist/index.js";
import { decoderFlops } from "../flops.mjs";
import { flags, quiet } from "../tools.mjs";

const {
  decoder: folder,
  settings,
  threads,
  precision,
  batches,
  lora,
} = JSON.parse(readFileSync(flags.request, "utf8"));
const decoder = await loadDecoder(folder, quiet);
const adapters = lora && decoderAdapters(decoder, lora, { threads });
const model = await createTrainableDecoder(decoder, { threads, precision }, adapters);
const parameters = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
const optimizer = new OptimizerLoop(settings, batches.length);

const done = [];
for (const batch of batches) {
  const began = performance.now();
  const work = answerBatches(batch, decoder.tokenizer.padId);
  let loss = 0;
  for (const part of work.batches) loss += await model.backward(part);
  await optimizer.step(parameters, model.gradients);
  await adapters?.merge();
  const sequences = batch.map(({ prompt, answer }) => ({
    length: prompt.length + answer.length,
    labels: answer.length,
  }));
  done.push({
    rss_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    seconds: (performance.now() - began) / 1000,
    loss,
    tokens: work.tokens,
    flops: 3 * decoderFlops(folder, sequences),
  });
}
// The first step allocates and compiles; the others are measured.
const measured = done.slice(1);
console.log(
  JSON.stringify({
    seconds: measured.map(({ seconds }) => seconds),
    tokens: measured.map(({ tokens }) => tokens),
    flops: measured.map(({ flops }) => flops),
    rss_mb: done.map(({ rss_mb }) => rss_mb),
    losses: done.map(({ loss }) => loss),
    peak_rss_mb: peakRssMb(),
  }),
);
process.exit(0);
