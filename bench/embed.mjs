// How fast are passages embedded, against sentence-transformers' encode and transformers.js' pipeline? All passages of faire.pkl, from texts to
// vectors of length 1.
import { basename, join } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import { loadEncoder, saveEncoder } from "../packages/models/dist/index.js";
import { database, ENCODER_SETTINGS } from "./data.mjs";
import { EMBED_FORMULA } from "./flops.mjs";
import { Measurements, ourPrecisions, peer, report, threads, wanted, worker } from "./measure.mjs";
import { flags, quiet, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

/** Passages of a trial of the peers' batch sizes, and of the whole comparison with --quick. */
const TRIAL = 128;
const QUICK = 256;
const WARMUP = 32;
/** Vectors of each side that are compared with ours. */
const SAMPLE = 16;

const encoder = requireModel("encoder");
const seed = wholeNumber("seed", 0);
const rounds = flags.quick ? 1 : wholeNumber("rounds", 0);
const documents = await database(requireData());
const shuffled = createRandom(seed)
  .shuffle(documents)
  .map((document) => document.fmt_content);
const texts = flags.quick ? shuffled.slice(0, QUICK) : shuffled;
const key = { bench: "embed", encoder: basename(encoder), seed };
const full = new Measurements({ ...key, passages: texts.length });
const trials = new Measurements({ ...key, passages: TRIAL });
console.log(`${texts.length} passages, ${threads} threads, ${rounds} rounds; batch sizes are tried on ${TRIAL}`);

const kinds = [
  "sentence-transformers-fp32",
  "sentence-transformers-bf16-autocast",
  "sentence-transformers-bf16-weights",
  "transformers.js",
];
const configurations = kinds.flatMap((kind) =>
  [8, 16, 32].map((rows) => ({
    side: `${kind}-${rows}`,
    kind,
    rows,
    precision: kind.replace("sentence-transformers-", ""),
  })),
);

await withFolder(async (folder) => {
  const exported = join(folder, "exported");
  if (configurations.some(({ side, kind }) => kind === "transformers.js" && wanted(side)))
    await saveEncoder(exported, await loadEncoder(encoder, { ...quiet, overrides: ENCODER_SETTINGS }));
  const request = { encoder, overrides: ENCODER_SETTINGS, warmup: shuffled.slice(0, WARMUP), sample: SAMPLE };
  const run =
    ({ kind, rows, precision }, list) =>
    () =>
      kind === "transformers.js"
        ? worker(folder, "transformers-js.mjs", { ...request, exported, rows, texts: list })
        : peer(folder, "embed.py", { ...request, precision, rows, texts: list });
  const best = trials.fastest(configurations, (configuration) => run(configuration, shuffled.slice(0, TRIAL)));
  for (let round = 0; round < rounds; round++) {
    full.peak();
    for (const { side, precision } of ourPrecisions())
      full.run(side, () => worker(folder, "embed.mjs", { ...request, precision, texts }));
    for (const configuration of best) full.run(configuration.side, run(configuration, texts));
  }
});

/** Do all sides make the same vectors? The lowest cosine with ours. */
function lowestCosines() {
  const ours = full.of("ours")[0]?.vectors;
  if (!ours) return undefined;
  const cosines = {};
  for (const side of full.peers()) {
    const theirs = full.of(side)[0].vectors;
    const all = ours.map((vector, i) => vector.reduce((sum, value, j) => sum + value * theirs[i][j], 0));
    cosines[side] = Math.min(...all);
  }
  return cosines;
}

report("embed", full, {
  units: ["tokens"],
  formula: EMBED_FORMULA,
  more: {
    passages: texts.length,
    rounds,
    quick: flags.quick,
    seed,
    trial: trials.medians("tokens"),
    lowest_cosine: lowestCosines(),
  },
});
