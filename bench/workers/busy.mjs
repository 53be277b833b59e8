// One side of bench/busy.mjs: passages embedded, and passages through a training step's forward and backward pass, a second. Prints JSON.
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import {
  createTokenBatch,
  createTrainableEncoder,
  loadEncoder,
  openEncoder,
  planBatches,
  tokenise,
} from "../../packages/models/dist/index.js";
import { flags, quiet } from "../tools.mjs";

const { encoder: folder, overrides, threads, texts, seconds } = JSON.parse(readFileSync(flags.request, "utf8"));
// What other processes do is looked at when a session is made, since the process began.
await wait(500);

/** Calls a second, as long as `seconds`; the first is not counted. */
async function rateOf(work, count) {
  await work();
  const began = performance.now();
  let calls = 0;
  while (performance.now() - began < seconds * 1000) {
    await work();
    calls++;
  }
  return (calls * count * 1000) / (performance.now() - began);
}

const encoder = await openEncoder(folder, { ...quiet, overrides, threads });
const embed = await rateOf(() => encoder.embed(texts, "passage"), texts.length);
await encoder.close();

const loaded = await loadEncoder(folder, { ...quiet, overrides });
const model = await createTrainableEncoder(loaded, { threads, activationBytes: 2 ** 28 });
const sequences = tokenise(loaded, texts, "passage");
const batches = planBatches(sequences.map((ids) => ids.length)).map((rows) => {
  const own = rows.map((row) => sequences[row]);
  return createTokenBatch(own, loaded.tokenizer.padId, loaded.settings.pooling);
});
const train = await rateOf(async () => {
  for (const batch of batches) {
    const vectors = await model.forwardKeeping(batch);
    await model.backward(batch, vectors.slice());
  }
  model.forgetActivations();
}, texts.length);
console.log(JSON.stringify({ embed, train }));
process.exit(0);
