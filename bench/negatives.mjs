// Are mined hard negatives better than those of the same source? e5-small-v2 trained on Faire's questions with each: the same model,
// questions in the same order, steps and rate; only the hard negatives differ. The base model mines. Each run's figures are kept in
// result/bench/negatives and not computed again, so that a call that was stopped goes on.
import { basename, join } from "node:path";
import { createRandom, formatTable, readQuestions } from "../packages/core/dist/index.js";
import { ShuffledBatches } from "../packages/train/dist/index.js";
import { flattenQuestions } from "../packages/train-retriever/dist/index.js";
import { ENCODER_SETTINGS, TRAINING_SETTINGS } from "./data.mjs";
import { keptResults, mean, rounded, worker } from "./measure.mjs";
import { flags, processor, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const encoder = requireModel("encoder");
const data = requireData();
const seeds = Array.from({ length: flags.quick ? 1 : wholeNumber("seeds") }, (_, i) => i + 1);
const batch = wholeNumber("batch") ?? (flags.quick ? 4 : 64);
const steps = flags.quick ? 2 : 27;
const work = {
  encoder: basename(encoder),
  overrides: ENCODER_SETTINGS,
  settings: TRAINING_SETTINGS,
  temperature: 0.05,
  hard_neg_ratio: 1,
  mining: { count: 2, margin: 0.97, pool: 10, seed: 0 },
  batch,
  steps,
};
const { folder: kept, once } = keptResults("negatives", work);
console.log(
  `${steps} steps of ${batch} questions with ${work.hard_neg_ratio} hard negative each, seeds ${seeds.join(", ")}; kept in ${kept}`,
);

const FIGURES = ["recall1", "recall4", "mrr"];
/** Sample standard deviation; undefined for one value. */
const spread = (values) =>
  values.length > 1
    ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1))
    : undefined;

await withFolder(async (folder) => {
  const { settings, temperature, hard_neg_ratio, overrides } = work;
  const common = { encoder, settings, temperature, hard_neg_ratio, overrides, steps };
  const minedFile = join(kept, "mined_train_w_q.jsonl");
  const base = once("base", () =>
    worker(folder, "mine.mjs", {
      encoder,
      overrides: work.overrides,
      data,
      mining: work.mining,
      indexPath: join(kept, "index"),
      save: minedFile,
    }),
  );
  const files = { "same-source": join(data, "train_w_q.jsonl"), mined: minedFile };
  const examples = {};
  for (const [side, file] of Object.entries(files)) {
    // Both in one order, which the seed of the batches then shuffles: the two sides see the same questions at each step.
    examples[side] = createRandom(0).shuffle(flattenQuestions(await readQuestions(file)));
  }
  const results = Object.fromEntries(Object.keys(files).map((side) => [side, []]));
  for (const seed of seeds) {
    for (const side of Object.keys(files)) {
      const result = once(`${side}-seed-${seed}`, () => {
        const save = join(folder, `${side}-${seed}`);
        const source = new ShuffledBatches(examples[side], batch, seed);
        const batches = Array.from({ length: steps }, (_, i) => source.at(i));
        const trained = worker(folder, "retriever.mjs", { ...common, seed, batches, save });
        const figures = worker(folder, "evaluate.mjs", { encoder: save, overrides: work.overrides, data });
        return { ...figures, losses: trained.losses, seconds: trained.seconds };
      });
      results[side].push(result);
    }
  }
  const cell = (list, figure) => {
    const values = list.map((result) => result[figure]);
    const deviation = spread(values);
    return mean(values).toFixed(3) + (deviation === undefined ? "" : ` ± ${deviation.toFixed(3)}`);
  };
  const rows = Object.entries({ "base model": [base], ...results }).map(([side, list]) => ({
    "hard negatives": side,
    seeds: side === "base model" ? "" : String(list.length),
    "recall@1": cell(list, "recall1"),
    "recall@4": cell(list, "recall4"),
    MRR: cell(list, "mrr"),
    "last loss": list.every(({ losses }) => losses) ? mean(list.map(({ losses }) => losses.at(-1))).toFixed(3) : "",
  }));
  console.log(`\n${base.questions} eval questions; mean ± standard deviation over seeds`);
  console.log(formatTable(rows, Object.keys(rows[0])));
  console.log(
    JSON.stringify({
      bench: "negatives",
      base: Object.fromEntries(FIGURES.map((figure) => [figure, rounded(base[figure])])),
      mined: base.mined,
      by_seed: Object.fromEntries(
        Object.entries(results).map(([side, list]) => [
          side,
          list.map((result) => Object.fromEntries(FIGURES.map((figure) => [figure, rounded(result[figure])]))),
        ]),
      ),
      ...work,
      seeds,
      questions: base.questions,
      processor,
    }),
  );
});
