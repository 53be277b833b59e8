// How much memory does training take, and does it grow? Each in a process of its own: peak resident memory, and what is resident after each step.
import { basename } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import { database, ENCODER_SETTINGS, sequences, TRAINING_SETTINGS as settings, trainingExamples } from "./data.mjs";
import { median, worker } from "./measure.mjs";
import { flags, processor, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const PASSAGE_TOKENS = 400;
const SEQUENCE = { least: 1400, most: 1500 };

const data = requireData();
const encoder = requireModel("encoder");
const decoder = requireModel("decoder");
const batch = wholeNumber("batch") ?? 256;
const steps = flags.quick ? 2 : 4;
const random = createRandom(wholeNumber("seed", 0));

/** Different passages of the database, joined until each fills 400 tokens. */
const documents = await database(data);
const examples = (await trainingExamples(data, 0)).map((example) => {
  const text = [example.gold_docs[0], ...random.sample(documents, 12)].map((passage) => passage.fmt_content).join("\n");
  return { ...example, gold_docs: [{ ...example.gold_docs[0], page_content: text, fmt_content: text }] };
});
const overrides = { ...ENCODER_SETTINGS, max_length: PASSAGE_TOKENS };
const long = await sequences(data, decoder, steps, 0, SEQUENCE);

const sides = {
  encoder: (folder) =>
    worker(folder, "retriever.mjs", {
      encoder,
      overrides,
      temperature: 0.05,
      settings,
      batches: Array.from({ length: steps }, () => random.sample(examples, batch)),
    }),
  decoder: (folder) =>
    worker(folder, "generator.mjs", { decoder, settings, batches: long.map((example) => [example]) }),
  "decoder-lora": (folder) =>
    worker(folder, "generator.mjs", {
      decoder,
      settings,
      batches: long.map((example) => [example]),
      lora: { r: 16, alpha: 32, targets: ["all-linear"], seed: 0 },
    }),
};
const result = {};
await withFolder((folder) => {
  for (const [side, run] of Object.entries(sides)) {
    if (flags.only !== undefined && !flags.only.split(",").includes(side)) continue;
    const { peak_rss_mb, rss_mb, tokens, seconds } = run(folder);
    result[side] = {
      peak_rss_mb,
      rss_mb,
      tokens: Array.isArray(tokens) ? tokens[0] : tokens,
      seconds: median(seconds),
    };
    console.log(`${side}: peak ${peak_rss_mb} MB; after each step ${rss_mb.join(", ")} MB`);
  }
});
console.log(
  JSON.stringify({
    bench: "memory",
    ...result,
    encoder_work: `${basename(encoder)}, ${batch} questions and ${batch} passages of ${PASSAGE_TOKENS} tokens`,
    decoder_work: `${basename(decoder)}, a sequence of ${SEQUENCE.least} to ${SEQUENCE.most} tokens`,
    steps,
    processor,
  }),
);
