// Ten steps of contrastive training from texts, ours and sentence-transformers': is the loss the same at each step? The folder's own pooling,
// modules and prompts count on both sides.
import { basename } from "node:path";
import { TRAINING_SETTINGS as settings, trainingExamples } from "./data.mjs";
import { peer, worker } from "./measure.mjs";
import { requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const STEPS = 10;
/** Texts are cut for time. */
const MAX_LENGTH = 128;

/** Losses of all steps on both sides, and their largest difference. Each passage is in one pair only: a second one would be masked here and not there. */
export async function trainerParity({ temperature }) {
  const encoder = requireModel("encoder");
  const size = wholeNumber("batch", 2) ?? 8;
  const examples = await trainingExamples(requireData(), 0);
  const distinct = [...new Map(examples.map((one) => [one.gold_docs[0].fmt_content, one])).values()];
  const batches = Array.from({ length: STEPS }, (_, step) => distinct.slice(step * size, (step + 1) * size));
  const common = { encoder, temperature, settings, steps: STEPS };
  return withFolder((folder) => {
    const ours = worker(folder, "retriever.mjs", { ...common, overrides: { max_length: MAX_LENGTH }, batches });
    const pair = ({ question, gold_docs: [gold] }) => ({ query: question, passage: gold.fmt_content });
    const theirs = peer(folder, "retriever.py", {
      ...common,
      max_length: MAX_LENGTH,
      precision: "fp32",
      batches: batches.map((rows) => rows.map(pair)),
    });
    const worst = Math.max(...ours.losses.map((loss, i) => Math.abs(loss - theirs.losses[i])));
    return {
      model: basename(encoder),
      batch: size,
      worst,
      ours: ours.losses,
      theirs: theirs.losses,
      versions: theirs.versions,
    };
  });
}
