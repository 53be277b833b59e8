// One side of bench/base-dtype.mjs: two steps of LoRA on a decoder. Prints JSON.
import { readFileSync } from "node:fs";
import {
  createAnswerBatch,
  createTrainableDecoder,
  decoderAdapters,
  loadDecoder,
} from "../../packages/models/dist/index.js";
import { OptimizerLoop, peakRssMb } from "../../packages/train/dist/index.js";
import { TRAINING_SETTINGS } from "../data.mjs";
import { flags, quiet } from "../tools.mjs";

const { model: folder, base, tokens, threads } = JSON.parse(readFileSync(flags.request, "utf8"));
const matrices = { fp32: undefined, fp16: "F16", bf16: "BF16" }[base];
const decoder = await loadDecoder(folder, { ...quiet, matrices });
const adapters = decoderAdapters(decoder, { r: 16, alpha: 32, targets: ["all-linear"], seed: 1 }, { threads });
const model = await createTrainableDecoder(decoder, { threads }, adapters);
const loaded_rss_mb = Math.round(process.memoryUsage.rss() / 2 ** 20);
const parameters = [...adapters.weights].map(([name, weight]) => ({ name, ...weight }));
const optimizer = new OptimizerLoop({ ...TRAINING_SETTINGS, learning_rate: 1e-3 }, 3);
const ids = Array.from({ length: tokens }, (_, i) => 5 + ((i * 37) % 250));
const batch = createAnswerBatch([{ prompt: ids.slice(0, tokens / 2), answer: ids.slice(tokens / 2) }], 0, 2 / tokens);
const seconds = [];
const losses = [];
for (let step = 0; step < 2; step++) {
  const began = performance.now();
  losses.push(await model.backward(batch));
  await optimizer.step(parameters, model.gradients);
  await adapters.merge();
  seconds.push((performance.now() - began) / 1000);
}
console.log(JSON.stringify({ seconds, losses, loaded_rss_mb, peak_rss_mb: peakRssMb() }));
process.exit(0);
