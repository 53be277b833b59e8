// How long until a retriever is as good as sentence-transformers makes it? Ours by any recipe (flags of train-retriever; default configs/retriever.yaml) and
// sentence-transformers in fp32 and under bf16 autocast, from the same model, on Faire's train questions, for the same number of steps at the same batch,
// rate and temperature. Both are evaluated on the eval questions by the same code as training goes on; evaluations are not in the time. What is printed is the
// time at which each first reaches the MRR that sentence-transformers ends with (--reference says in which precision). What is done already is kept in
// result/bench/time-to-quality.
//
// 1. Ours is trained twice: once without evaluations, for the clock (what an evaluation leaves in memory would help the next steps), and once with them, for
//    the figures. The weights are the same to the bit.
// 2. sentence-transformers' mini-batch is tried on a part of a step for each precision, and the fastest is taken. Its batches have no text twice, as
//    its documentation advises for this loss; dropout is off, which only makes it faster.

import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

// First of all: it takes the recipe out of the flags that the others read.
const { recipe } = await import("./recipe-flags.mjs");
const { createRandom, hashText, readQuestions, writeJsonl } = await import("../packages/core/dist/index.js");
const { seedFor, totalSteps } = await import("../packages/train/dist/index.js");
const { trainRetrieverSettings } = await import("../packages/train-retriever/dist/index.js");
const { asPair, ENCODER_SETTINGS, passagesOf, trainingExamples } = await import("./data.mjs");
const { codeHash, keptResults, mean, median, ourThreads, peer, rounded, threads, wanted, worker } = await import(
  "./measure.mjs"
);
const { flags, missing, processor, requireData, requireModel, wholeNumber, withFolder } = await import("./tools.mjs");

/** Pairs on which mini-batches are tried. */
const TRIAL = 64;
/** Questions that are evaluated where a look is enough. */
const LOOK = 16;
const MINI_BATCHES = flags.quick ? [16] : [8, 16, 32, undefined];
const PRECISIONS = ["fp32", "bf16"];
const reference = flags.reference ?? "fp32";
if (!PRECISIONS.includes(reference)) missing(`--reference is ${reference}: expected one of ${PRECISIONS.join(", ")}.`);
const REFERENCE = `sentence-transformers-${reference}`;

const encoder = requireModel("encoder");
const data = requireData();
const examples = await trainingExamples(data, 0);
const common = {
  ...recipe,
  ...(flags.quick ? { max_steps: 2, per_device_train_batch_size: 8, max_seq_length: 64 } : {}),
  model_path: encoder,
  train_file: join(data, "train_w_q.jsonl"),
  threads: ourThreads,
  save_onnx: false,
  // A bench that was stopped goes on with what is kept; a training of it that was stopped would have no clock.
  resume_from_checkpoint: "false",
};
/** What is searched and what chooses; where a look is enough, the passages of some questions. */
async function filesIn(folder) {
  const whole = { database: join(data, "faire.pkl"), questions: join(data, "eval_w_q.jsonl") };
  if (!flags.quick) return whole;
  const rows = (await readQuestions(whole.questions)).slice(0, LOOK);
  const few = { database: join(folder, "documents.jsonl"), questions: join(folder, "eval_w_q.jsonl") };
  await writeJsonl(few.database, passagesOf(rows));
  await writeJsonl(few.questions, rows);
  return few;
}

const parsed = trainRetrieverSettings.parse({
  ...common,
  output_dir: "unused",
  full_dataset_file_path: "unused",
  eval_file: "unused",
});
const steps = totalSteps(parsed, examples.length);
const every = wholeNumber("every") ?? (flags.quick ? 1 : 3);
/** Evaluations at all multiples of `every` tell when a side gets there; where each takes longer than the steps between, fewer of the later ones do. */
const evaluatedOf = (count) => {
  const at = [];
  for (let step = every; step < count; step += Math.max(every, Math.floor(step / 2 / every) * every)) at.push(step);
  return [...at, count];
};
const seeds = Array.from({ length: flags.quick ? 1 : wholeNumber("seeds") }, (_, i) => i + 1);

/** A flag's positive number, or what the recipe has. */
function positive(name, otherwise) {
  if (flags[name] === undefined) return otherwise;
  const value = Number(flags[name]);
  return value > 0 ? value : missing(`--${name} is ${flags[name]}: it takes a number above 0.`);
}

// Theirs may take longer than ours: what it takes in its own recipe is what it is held against.
const theirSteps = totalSteps(
  { ...parsed, num_train_epochs: positive("peer-epochs", parsed.num_train_epochs) },
  examples.length,
);
const theirs = {
  encoder,
  max_length: parsed.max_seq_length ?? ENCODER_SETTINGS.max_length,
  temperature: positive("peer-temperature", parsed.temperature ?? 0.02),
  settings: {
    learning_rate: positive("peer-learning-rate", parsed.learning_rate),
    weight_decay: parsed.weight_decay,
    warmup_ratio: parsed.warmup_ratio,
    lr_scheduler_type: parsed.lr_scheduler_type,
    max_grad_norm: parsed.max_grad_norm,
  },
};
const overrides = { ...ENCODER_SETTINGS, max_length: theirs.max_length };
const batch = parsed.per_device_train_batch_size * parsed.gradient_accumulation_steps;

/** Batches in an order drawn from the seed with no text twice in one, by sentence-transformers' NO_DUPLICATES: what does not fit waits for the next. */
function batchesOf(seed) {
  const made = [];
  for (let epoch = 0; made.length < theirSteps; epoch++) {
    let left = createRandom(seedFor(seed, "order", epoch))
      .shuffle(examples)
      .map(asPair);
    while (left.length > 0 && made.length < theirSteps) {
      const seen = new Set();
      const [now, later] = [[], []];
      for (const pair of left) {
        const isNew = now.length < batch && !seen.has(pair.query) && !seen.has(pair.passage);
        (isNew ? now : later).push(pair);
        if (isNew) seen.add(pair.query).add(pair.passage);
      }
      made.push(now);
      left = later;
    }
  }
  return made;
}

/** The fastest mini-batch of a precision. */
function miniBatchOf(folder, precision) {
  if (MINI_BATCHES.length === 1) return { mini_batch: MINI_BATCHES[0] };
  const pairs = examples.slice(0, TRIAL).map(asPair);
  const tried = MINI_BATCHES.map((mini_batch) => ({
    mini_batch,
    ...peer(folder, "retriever.py", { ...theirs, precision, mini_batch, warmup: pairs.slice(0, 8), batches: [pairs] }),
  })).filter(({ skipped }) => !skipped);
  return tried.reduce((best, one) => (median(one.seconds) < median(best.seconds) ? one : best));
}

function trainTheirs(folder, files, precision, { mini_batch }, seed) {
  const save = join(folder, `${precision}-${seed}`);
  const batches = batchesOf(seed);
  // Nothing of theirs that warms up is in the time; what compiles of ours is.
  const how = { precision, mini_batch, seed, steps: theirSteps, untrained_warmup: batches[0].slice(0, 8) };
  const request = { ...theirs, ...how, save_at: evaluatedOf(theirSteps), save, batches };
  const result = peer(folder, "retriever.py", request);
  // The whole batch may not fit where the trial did.
  if (result.skipped) return trainTheirs(folder, files, precision, { mini_batch: 32 }, seed);
  let sum = 0;
  const seconds = result.seconds.map((one) => {
    sum += one;
    return sum;
  });
  const saved = readdirSync(folder).filter((name) => name.startsWith(`${precision}-${seed}-`));
  const points = saved
    .map((name) => ({ name, step: Number(name.split("-").at(-1)) }))
    .sort((a, b) => a.step - b.step)
    .map(({ name, step }) => {
      const figures = worker(folder, "evaluate.mjs", { encoder: join(folder, name), overrides, files });
      rmSync(join(folder, name), { recursive: true });
      return { step, ...figures };
    });
  return {
    seconds,
    points,
    mini_batch: mini_batch ?? null,
    versions: result.versions,
    peak_rss_mb: result.peak_rss_mb,
  };
}

function trainOurs(folder, { database, questions }, seed) {
  const output_dir = join(folder, `ours-${seed}`);
  const run = (more) => {
    rmSync(output_dir, { recursive: true, force: true });
    return worker(folder, "time-to-quality.mjs", {
      settings: { ...common, full_dataset_file_path: database, eval_file: questions, seed, output_dir, ...more },
    });
  };
  // One checkpoint, after the last step.
  const clock = { do_eval: false, interpolate: [], keep_base_unless: "better", save_steps: steps };
  const { seconds, peak_rss_mb } = run(clock);
  const { points, shares } = run({ do_eval: true, eval_steps: every });
  return { seconds, points: points.filter(({ step }) => step > 0), shares, base: points[0]?.mrr, peak_rss_mb };
}

/** What was measured and when: weights between base and tuned are known after the last step alone. */
function curveOf({ seconds, points, shares = [] }) {
  const measured = points.map(({ step, mrr }) => ({ step, seconds: rounded(seconds[step - 1]), mrr: rounded(mrr) }));
  const last = rounded(seconds.at(-1));
  return [...measured, ...shares.map(({ alpha, mrr }) => ({ step: steps, alpha, seconds: last, mrr: rounded(mrr) }))];
}

const work = { encoder: basename(encoder), data, theirs, batch, steps: theirSteps, every, threads, processor };
const { folder: kept, once } = keptResults("time-to-quality", work);
// Of ours, times count only as long as the recipe and the code are the same.
const code = hashText(JSON.stringify([codeHash(), common, steps])).slice(0, 12);
console.log(
  `ours ${steps} steps of ${batch}, theirs ${theirSteps}, evaluated every ${every}, seeds ${seeds.join(", ")}; kept in ${kept}`,
);

const results = {};
const add = (side, result) => {
  results[side] = [...(results[side] ?? []), result];
};
await withFolder(async (folder) => {
  const files = await filesIn(folder);
  const trials = {};
  for (const seed of seeds) {
    for (const precision of PRECISIONS) {
      const side = `sentence-transformers-${precision}`;
      if (!wanted(side)) continue;
      const train = () => {
        trials[precision] ??= miniBatchOf(folder, precision);
        return trainTheirs(folder, files, precision, trials[precision], seed);
      };
      add(side, once(`${side}-seed-${seed}`, train));
    }
    if (wanted("ours"))
      add(
        "ours",
        once(`ours-${code}-seed-${seed}`, () => trainOurs(folder, files, seed)),
      );
  }
});

const targets = results[REFERENCE]?.map(({ points }) => points.at(-1).mrr);
const sides = Object.fromEntries(
  Object.entries(results).map(([side, runs]) => {
    const curves = runs.map(curveOf);
    const reached =
      targets && curves.map((curve, i) => curve.find(({ mrr }) => mrr >= rounded(targets[i]))?.seconds ?? null);
    const best = curves.map((curve) => Math.max(...curve.map(({ mrr }) => mrr)));
    return [
      side,
      {
        seconds_to_target: reached,
        seconds_in_all: runs.map(({ seconds }) => rounded(seconds.at(-1))),
        final_mrr: runs.map(({ points }) => rounded(points.at(-1).mrr)),
        best_mrr: best,
        mini_batch: runs[0].mini_batch,
        peak_rss_mb: Math.max(...runs.map(({ peak_rss_mb }) => peak_rss_mb)),
        curves,
      },
    ];
  }),
);
for (const [side, { curves, seconds_to_target: reached, seconds_in_all: all }] of Object.entries(sides))
  curves.forEach((curve, i) => {
    const [target, time] = [targets?.[i], reached?.[i]];
    const when = time === null ? "never at" : `${time} s to`;
    console.log(
      `${side}, seed ${seeds[i]}: ${target === undefined ? "" : `${when} the target ${rounded(target)}, `}${all[i]} s in all`,
    );
    for (const { step, alpha, seconds, mrr } of curve)
      console.log(
        `  step ${String(step).padStart(4)}${alpha ? ` at alpha ${alpha}` : ""}: ${seconds} s, MRR ${mrr.toFixed(4)}`,
      );
  });
/** Their time by ours; seeds in which one of the two never gets there are left out. */
const ratioTo = (side) => {
  const [mine, other] = [sides.ours?.seconds_to_target, sides[side]?.seconds_to_target];
  const ratios = (mine ?? []).flatMap((own, i) => (own !== null && other?.[i] ? [other[i] / own] : []));
  return ratios.length > 0
    ? { mean: rounded(mean(ratios), 3), median: rounded(median(ratios), 3), seeds: ratios.length }
    : null;
};
console.log(
  JSON.stringify({
    bench: "time-to-quality",
    recipe,
    quick: flags.quick,
    target: targets?.map((mrr) => rounded(mrr)),
    ratio: Object.fromEntries(
      PRECISIONS.map((precision) => [precision, ratioTo(`sentence-transformers-${precision}`)]),
    ),
    base_mrr: results.ours?.[0]?.base,
    sides,
    peers: { learning_rate: theirs.settings.learning_rate, temperature: theirs.temperature },
    seeds,
    steps,
    peer_steps: theirSteps,
    reference,
    batch,
    every,
    threads,
    processor,
    versions: results[REFERENCE]?.[0]?.versions,
  }),
);
