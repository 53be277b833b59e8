// How much faster is a step with LoRA (all linear layers, rank 16) than one that trains all weights? Both ours, on the sequences of
// bench/generator.mjs.
import { basename } from "node:path";
import { sequences } from "./data.mjs";
import { DECODER_FORMULA } from "./flops.mjs";
import { Measurements, report, threads, worker } from "./measure.mjs";
import { flags, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const settings = {
  learning_rate: 2e-4,
  weight_decay: 0.01,
  warmup_ratio: 0.1,
  lr_scheduler_type: "cosine",
  max_grad_norm: 1,
};
const lora = { r: 16, alpha: 32, targets: ["all-linear"], seed: 42 };

const decoder = requireModel("decoder");
const seed = wholeNumber("seed", 0);
const batch = wholeNumber("batch") ?? 2;
const rounds = flags.quick ? 1 : wholeNumber("rounds");
/** Steps of a process: the first warms up. */
const steps = flags.quick ? 2 : 3;
const examples = await sequences(requireData(), decoder, batch * steps, seed);
const batches = Array.from({ length: steps }, (_, i) => examples.slice(i * batch, (i + 1) * batch));
const measurements = new Measurements({ bench: "lora", decoder: basename(decoder), batch, steps, seed, lora });

console.log(`steps of ${batch} sequences of about 1,200 tokens; ${threads} threads, ${rounds} rounds`);
await withFolder((folder) => {
  for (let round = 0; round < rounds; round++) {
    measurements.run("ours", () => worker(folder, "generator.mjs", { decoder, settings, batches, lora }));
    measurements.run("full", () => worker(folder, "generator.mjs", { decoder, settings, batches }));
  }
});
report("lora", measurements, {
  units: ["tokens"],
  formula: DECODER_FORMULA,
  more: { batch, rounds, seed, lora, losses: measurements.first("losses") },
});
