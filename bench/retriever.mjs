// How fast is a step of contrastive training, against sentence-transformers? Questions with their gold passages, one optimizer step of forward,
// backward and AdamW from texts to new weights, the same pairs on both sides. --quality: is the trained model as good?
import { basename } from "node:path";
import { asPair, ENCODER_SETTINGS, TRAINING_SETTINGS as settings, trainingExamples } from "./data.mjs";
import { ENCODER_FORMULA } from "./flops.mjs";
import { Measurements, median, ourPrecisions, peer, report, threads, wanted, worker } from "./measure.mjs";
import { flags, missing, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const TEMPERATURE = 0.05;
/** Pairs on which the peers' configurations are tried, to choose the best of each precision; with --quick, all that is measured of them. */
const TRIAL = 64;
const WARMUP = 8;

async function speed() {
  const encoder = requireModel("encoder");
  const seed = wholeNumber("seed", 0);
  const all = await trainingExamples(requireData(), seed);
  const batch = wholeNumber("batch") ?? 256;
  if (batch > all.length) missing(`--batch ${batch}: train_w_q.jsonl has ${all.length} questions.`);
  const trial = Math.min(TRIAL, batch);
  const rounds = flags.quick ? 1 : wholeNumber("rounds", 0);
  const warmup = all.slice(0, WARMUP);
  const key = { bench: "retriever", encoder: basename(encoder), seed };
  const full = new Measurements({ ...key, batch });
  const trials = trial === batch ? full : new Measurements({ ...key, batch: trial });

  await withFolder((folder) => {
    const ours = (pairs, precision) => () =>
      worker(folder, "retriever.mjs", {
        encoder,
        overrides: ENCODER_SETTINGS,
        temperature: TEMPERATURE,
        settings,
        precision,
        warmup,
        batches: [all.slice(0, pairs)],
      });
    const theirs = (pairs, precision, miniBatch) => () =>
      peer(folder, "retriever.py", {
        encoder,
        max_length: ENCODER_SETTINGS.max_length,
        temperature: TEMPERATURE,
        settings,
        precision,
        mini_batch: miniBatch,
        warmup: warmup.map(asPair),
        batches: [all.slice(0, pairs).map(asPair)],
      });
    const configurations = ["fp32", "bf16"].flatMap((precision) =>
      [8, 16, 32, undefined].map((miniBatch) => ({
        side: `sentence-transformers-${precision}-${miniBatch ? `cached-${miniBatch}` : "plain"}`,
        precision,
        miniBatch,
      })),
    );
    console.log(`batch ${batch}, ${threads} threads, ${rounds} rounds; peers are tried on ${trial} pairs`);
    const wantedConfigurations = configurations.filter(({ side }) => wanted(side));
    for (const { side, precision, miniBatch } of wantedConfigurations) {
      if (trials.of(side).length === 0) trials.run(side, theirs(trial, precision, miniBatch));
    }
    if (wanted("ours") && trials.of("ours").length === 0 && trial !== batch) trials.run("ours", ours(trial, "fp32"));
    /** By precision, fastest first. One that does not fit the memory with the whole batch leaves its place to the next. */
    const ranked = ["fp32", "bf16"].map((precision) =>
      configurations
        .filter((c) => c.precision === precision && trials.of(c.side).length > 0)
        .sort((a, b) => median(trials.seconds(a.side)) - median(trials.seconds(b.side))),
    );
    for (let round = 0; round < rounds; round++) {
      full.peak();
      for (const { side, precision } of ourPrecisions()) full.run(side, ours(batch, precision));
      if (flags.quick) continue;
      for (const candidates of ranked) {
        for (const { side, precision, miniBatch } of candidates) {
          if (full.sides.get(side)?.some((result) => result.skipped)) continue;
          if (!full.run(side, theirs(batch, precision, miniBatch))?.skipped) break;
        }
      }
    }
    // With --quick, the peers' rates are those of the trial, and ours of the whole batch.
    if (flags.quick && trial !== batch)
      for (const { side } of configurations) for (const result of trials.sides.get(side) ?? []) full.add(side, result);
  });
  report("retriever", full, {
    units: ["pairs", "tokens"],
    formula: ENCODER_FORMULA,
    more: {
      batch,
      rounds,
      quick: flags.quick,
      trial: { batch: trial, pairs_per_s: trials.medians("pairs") },
      temperature: TEMPERATURE,
      seed,
      loss: full.first("losses"),
    },
  });
}

if (flags.quality) await (await import("./quality.mjs")).quality({ settings, temperature: TEMPERATURE });
else await speed();
