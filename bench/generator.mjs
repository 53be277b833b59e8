// How fast is a step of training a decoder on answers, against TRL's SFTTrainer? Sequences of about 1,200 tokens with answers of about 100,
// the same token ids on both sides; two sequences make a step, cut as each side does best.
import { basename } from "node:path";
import { sequences } from "./data.mjs";
import { DECODER_FORMULA } from "./flops.mjs";
import { Measurements, peer, report, threads, wanted, worker } from "./measure.mjs";
import { flags, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const settings = {
  learning_rate: 2e-5,
  weight_decay: 0.01,
  warmup_ratio: 0.1,
  lr_scheduler_type: "cosine",
  max_grad_norm: 1,
};

const decoder = requireModel("decoder");
const seed = wholeNumber("seed", 0);
const batch = wholeNumber("batch") ?? 2;
const rounds = flags.quick ? 1 : wholeNumber("rounds");
/** Steps of a process: the first warms up. */
const steps = flags.quick ? 2 : 3;
const examples = await sequences(requireData(), decoder, batch * steps, seed);
const batches = Array.from({ length: steps }, (_, i) => examples.slice(i * batch, (i + 1) * batch));
const measurements = new Measurements({ bench: "generator", decoder: basename(decoder), batch, steps, seed });

const lengths = examples.map(({ prompt, answer }) => prompt.length + answer.length);
const answers = examples.map(({ answer }) => answer.length);
console.log(
  `steps of ${batch} sequences of ${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, answers of ${Math.min(...answers)} to ${Math.max(...answers)}; ${threads} threads, ${rounds} rounds`,
);

const configurations = ["fp32", "bf16"].flatMap((precision) =>
  [...new Set([1, batch])].map((rows) => ({ side: `trl-${precision}-rows-${rows}`, precision, rows })),
);
await withFolder((folder) => {
  for (let round = 0; round < rounds; round++) {
    measurements.peak();
    measurements.run("ours", () => worker(folder, "generator.mjs", { decoder, settings, batches }));
    for (const { side, precision, rows } of configurations) {
      if (wanted(side))
        measurements.run(side, () => peer(folder, "generator.py", { decoder, settings, batches, precision, rows }));
    }
  }
});
report("generator", measurements, {
  units: ["tokens"],
  formula: DECODER_FORMULA,
  more: { sequences: lengths, answers, batch, rounds, seed, losses: measurements.first("losses") },
});
