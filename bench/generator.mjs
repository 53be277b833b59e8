// How fast is a step of training a decoder on answers, against TRL's SFTTrainer? Sequences of about 1,200 tokens with answers of about 100,
// the same token ids on both sides; two sequences make a step, cut as each side does best.
import { basename } from "node:path";
import { sequences, TRAINING_SETTINGS as settings } from "./data.mjs";
import { DECODER_FORMULA } from "./flops.mjs";
import { Measurements, ourPrecisions, peer, report, threads, worker } from "./measure.mjs";
import { flags, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

/** Adapters on every linear layer, on both sides. */
const LORA = { r: 16, alpha: 32 };

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

const peers = ["fp32", "bf16"].flatMap((precision) =>
  [...new Set([1, batch])].map((rows) => ({ side: `trl-${precision}-rows-${rows}`, precision, rows })),
);
const loraPeers = ["fp32", "bf16"].map((precision) => ({
  side: `lora-trl-${precision}`,
  precision,
  rows: 1,
  lora: { r: LORA.r, lora_alpha: LORA.alpha, lora_dropout: 0, target_modules: "all-linear" },
}));
await withFolder((folder) => {
  const work = { decoder, settings, batches };
  for (let round = 0; round < rounds; round++) {
    measurements.peak();
    for (const { side, precision } of ourPrecisions())
      measurements.run(side, () => worker(folder, "generator.mjs", { ...work, precision }));
    for (const { side, ...how } of peers)
      measurements.run(side, () => peer(folder, "generator.py", { ...work, ...how }));
    const lora = { ...LORA, targets: ["all-linear"], seed };
    for (const { side, precision } of ourPrecisions())
      measurements.run(side.replace("ours", "ours-lora"), () =>
        worker(folder, "generator.mjs", { ...work, precision, lora }),
      );
    // peft is no peer of the full fine-tuning: once is enough to know where it stands.
    if (round > 0) continue;
    for (const { side, ...how } of loraPeers)
      measurements.run(side, () => peer(folder, "generator.py", { ...work, ...how }));
  }
});
report("generator", measurements, {
  units: ["tokens"],
  formula: DECODER_FORMULA,
  counterpart: (side) => (side.startsWith("lora-") ? "ours-lora" : "ours"),
  more: { sequences: lengths, answers, batch, rounds, seed, lora: LORA, losses: measurements.first("losses") },
});
