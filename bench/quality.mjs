// Is a model that we trained as good as sentence-transformers'? The same model, pairs, batches in the same order, steps and rate; both are
// evaluated by the same code. What is done already is kept in result/bench/quality and not done again.
import { basename, join } from "node:path";
import { ShuffledBatches } from "../packages/train/dist/index.js";
import { asPair, ENCODER_SETTINGS, trainingExamples } from "./data.mjs";
import { keptResults, mean, peer, rounded, wanted, worker } from "./measure.mjs";
import { flags, processor, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const STEPS = 27;
/** What the model's config says of hidden values and of attention weights. */
const DROPOUT = 0.1;

export async function quality({ settings, temperature }) {
  const encoder = requireModel("encoder");
  const data = requireData();
  const batch = wholeNumber("batch") ?? 64;
  const steps = flags.quick ? 2 : STEPS;
  const seeds = Array.from({ length: flags.quick ? 1 : wholeNumber("seeds") }, (_, i) => i + 1);
  const all = await trainingExamples(data, 0);
  const work = { encoder: basename(encoder), settings, temperature, batch, steps, overrides: ENCODER_SETTINGS };
  const { folder: kept, once } = keptResults("quality", work);
  console.log(`${steps} steps of ${batch}, seeds ${seeds.join(", ")}; kept in ${kept}`);

  await withFolder((folder) => {
    const evaluate = (model) => worker(folder, "evaluate.mjs", { encoder: model, overrides: ENCODER_SETTINGS, data });
    const base = once("base", () => evaluate(encoder));
    const common = { encoder, temperature, settings, steps };
    /** The order of each epoch is drawn from the seed; both sides get the batches. */
    const order = (seed) => {
      const source = new ShuffledBatches(all, batch, seed);
      return Array.from({ length: steps }, (_, i) => source.at(i));
    };
    const theirs = (dropout) => (seed, save) =>
      peer(folder, "retriever.py", {
        ...common,
        max_length: ENCODER_SETTINGS.max_length,
        precision: "fp32",
        // It changes memory, not the result.
        mini_batch: 16,
        dropout,
        seed,
        batches: order(seed).map((rows) => rows.map(asPair)),
        save,
      });
    const ours = (dropout) => (seed, save) => {
      const batches = order(seed);
      return worker(folder, "retriever.mjs", { ...common, overrides: ENCODER_SETTINGS, dropout, seed, batches, save });
    };
    const sides = {
      "ours-with-dropout": ours(DROPOUT),
      "ours-without-dropout": ours(0),
      // As its users have it, with the dropout of the model's config.
      "sentence-transformers-with-dropout": theirs(true),
      "sentence-transformers-without-dropout": theirs(false),
    };
    const results = {};
    for (const [side, train] of Object.entries(sides)) {
      if (!wanted(side)) continue;
      results[side] = seeds.map((seed) =>
        once(`${side}-seed-${seed}`, () => {
          const save = join(folder, `${side}-${seed}`);
          const { losses, seconds, versions } = train(seed, save);
          return { ...evaluate(save), losses, seconds, versions };
        }),
      );
    }
    const summary = (list) =>
      Object.fromEntries(["recall1", "recall4", "mrr"].map((name) => [name, rounded(mean(list.map((r) => r[name])))]));
    const measured = Object.entries(results).filter(([, list]) => list.length > 0);
    const means = Object.fromEntries(measured.map(([side, list]) => [side, summary(list)]));
    for (const [side, figures] of Object.entries({ base: summary([base]), ...means }))
      console.log(`${side.padEnd(38)} recall@1 ${figures.recall1}, recall@4 ${figures.recall4}, MRR ${figures.mrr}`);
    const difference = (how) => {
      const [mine, peer] = [means[`ours-${how}`], means[`sentence-transformers-${how}`]];
      if (!mine || !peer) return undefined;
      return { recall1: rounded(mine.recall1 - peer.recall1), recall4: rounded(mine.recall4 - peer.recall4) };
    };
    console.log(
      JSON.stringify({
        bench: "retriever --quality",
        means,
        base: summary([base]),
        difference: {
          with_dropout: difference("with-dropout"),
          without_dropout: difference("without-dropout"),
        },
        by_seed: Object.fromEntries(
          measured.map(([side, list]) => [side, list.map(({ recall1, recall4 }) => ({ recall1, recall4 }))]),
        ),
        last_loss: Object.fromEntries(
          measured.map(([side, list]) => [side, list.map((r) => rounded(r.losses.at(-1)))]),
        ),
        seeds,
        batch,
        steps,
        questions: base.questions,
        processor,
      }),
    );
  });
}
