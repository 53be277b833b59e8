// Is training the same as PyTorch's? Gradients of every parameter on one batch, and the loss over 20 steps of AdamW with
// warm-up, cosine and clipping, for an encoder (contrastive) and a decoder (answers only), both sides in fp32. And is gradient caching
// exact?
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readQa, silentReporter } from "../packages/core/dist/index.js";
import {
  createAnswerBatch,
  createTokenBatch,
  createTrainableDecoder,
  createTrainableEncoder,
  loadDecoder,
  loadEncoder,
  readSafetensors,
} from "../packages/models/dist/index.js";
import { cachedBackward, createContrastiveLoss, OptimizerLoop } from "../packages/train/dist/index.js";
import { cachingEquality } from "./caching.mjs";
import { TRAINING_SETTINGS as settings } from "./data.mjs";
import { worstGradient } from "./gradient-error.mjs";
import { flags, processor, python, quiet, realData, realModel, SAMPLE, tinyModel, withFolder } from "./tools.mjs";
import { trainerParity } from "./trainer-parity.mjs";

const encoderFolder = realModel("encoder") ?? tinyModel("encoder");
const decoderFolder = realModel("decoder") ?? tinyModel("decoder");

const STEPS = 20;
const TEMPERATURE = 0.05;
/** Sequences are cut for time: 20 steps of a real decoder, twice. */
const DECODER_TOKENS = { prompt: 250, answer: 60 };
/** Gradient caching is compared with one graph, which has to hold all activations: a large batch of short texts, and a smaller one of the real model. */
const CACHING = {
  tiny: { pairs: 256, chunks: [64, 60], maxLength: 64 },
  real: { pairs: 64, chunks: [16, 15], maxLength: 64 },
};

/**
 * Questions, passages and answers: of `--texts` (*_w_qa.jsonl), of the Faire data where they are, else the samples in halves. Passages that come
 * again are left out, so that each question has its own.
 */
async function pairs() {
  const data = flags.texts ? undefined : realData();
  const file = flags.texts ?? (data && join(data, "train_w_qa.jsonl"));
  if (file === undefined) {
    return SAMPLE.map((text) => ({
      question: text.slice(0, text.length / 2),
      passage: text,
      answer: text.slice(text.length / 2),
    }));
  }
  const rows = await readQa(file, silentReporter);
  const made = rows.map(({ question, gold_docs: [gold], gold_answer: answer }) => ({
    question,
    passage: gold.fmt_content,
    answer,
  }));
  return [...new Map(made.map((row) => [row.passage, row])).values()];
}

/** At least `count` pairs: texts that are too few come again with a number before them. */
function enough(texts, count) {
  return Array.from({ length: count }, (_, i) => {
    const text = texts[i % texts.length];
    const time = Math.floor(i / texts.length);
    return time === 0 ? text : { ...text, question: `${time} ${text.question}`, passage: `${time} ${text.passage}` };
  });
}

const show = (error) => error.toExponential(2);

const worstLoss = (ours, theirs) =>
  Math.max(...ours.map((loss, i) => Math.abs(loss - theirs[i]) / Math.abs(theirs[i])));

/** PyTorch's losses of all batches, and files with its gradients of the first: by the plain formula of attention, and by its fused kernel. */
function pytorch(folder, request) {
  const run = (attention, batches) => {
    const file = join(folder, `${request.kind}-${attention}.json`);
    const gradientFile = join(folder, `${request.kind}-${attention}.safetensors`);
    writeFileSync(file, JSON.stringify({ ...request, batches, attention, settings, gradientFile }));
    return { ...python("parity.py", file), gradientFile };
  };
  const eager = run("eager", request.batches);
  return { ...eager, fusedFile: run("sdpa", request.batches.slice(0, 1)).gradientFile };
}

/** Our side: a step for each batch; the first one's gradients and all losses against the peer's. */
async function train(model, weights, batches, peer, lossOf) {
  const optimizer = new OptimizerLoop(settings, STEPS);
  const parameters = [...weights].map(([name, weight]) => ({ name, ...weight }));
  const losses = [];
  let gradients;
  let fused;
  for (const batch of batches) {
    losses.push(await lossOf(batch));
    if (gradients === undefined) {
      gradients = worstGradient(model.gradients, await readSafetensors(peer.gradientFile));
      fused = worstGradient(model.gradients, await readSafetensors(peer.fusedFile));
    }
    await optimizer.step(parameters, model.gradients);
  }
  await model.close();
  return {
    gradients,
    gradients_sdpa: fused,
    loss_over_20_steps: worstLoss(losses, peer.losses),
    pytorch: peer.pytorch,
    first_loss: losses[0],
    last_loss: losses.at(-1),
  };
}

async function encoderParity(folder, data) {
  const encoder = await loadEncoder(encoderFolder, { ...quiet, overrides: { similarity: "cosine", pooling: "mean" } });
  const { dimensions } = encoder.graph;
  const limit = encoder.settings.max_length;
  const ids = (text) => {
    const all = encoder.tokenizer.encode(text);
    return all.length <= limit ? all : [...all.slice(0, limit - 1), all.at(-1)];
  };
  const size = 8;
  const batches = Array.from({ length: STEPS }, (_, step) => {
    const rows = Array.from({ length: size }, (_, i) => data[(step * size + i) % data.length]);
    const keys = [...new Set(rows.map((row) => row.passage))];
    return {
      queries: rows.map((row) => ids(encoder.settings.query_prefix + row.question)),
      keys: keys.map((key) => ids(encoder.settings.passage_prefix + key)),
      labels: rows.map((row) => keys.indexOf(row.passage)),
    };
  });
  const peer = pytorch(folder, { kind: "encoder", model: encoder.folder, batches, temperature: TEMPERATURE });

  const model = await createTrainableEncoder(encoder);
  const loss = await createContrastiveLoss({ dimensions, similarity: "cosine", temperature: TEMPERATURE });
  return train(model, encoder.weights, batches, peer, ({ queries, keys, labels }) => {
    const sequences = [...queries, ...keys];
    const rows = sequences.map((_, i) => i);
    // Two chunks, as gradient caching cuts them: questions and passages.
    const chunks = [rows.slice(0, queries.length), rows.slice(queries.length)].map((part) => ({
      rows: part,
      chunk: createTokenBatch(
        part.map((row) => sequences[row]),
        encoder.tokenizer.padId,
        "mean",
      ),
    }));
    return cachedBackward(model, chunks, { total: sequences.length, dimensions }, (vectors) =>
      loss.runTogether(vectors, { labels }),
    );
  });
}

async function decoderParity(folder, data) {
  const decoder = await loadDecoder(decoderFolder, quiet);
  const encode = (text) => decoder.tokenizer.encode(text);
  const examples = data.map((row) => ({
    prompt: encode(`${row.passage}\n\nUSER: ${row.question} ASSISTANT:`).slice(-DECODER_TOKENS.prompt),
    answer: encode(` ${row.answer}`).slice(0, DECODER_TOKENS.answer),
  }));
  const batches = Array.from({ length: STEPS }, (_, step) =>
    [0, 1].map((i) => examples[(step * 2 + i) % examples.length]),
  );
  const peer = pytorch(folder, { kind: "decoder", model: decoder.folder, batches });

  const model = await createTrainableDecoder(decoder);
  return train(model, decoder.weights, batches, peer, (batch) => {
    const labels = batch.reduce((sum, { answer }) => sum + answer.length, 0);
    return model.backward(createAnswerBatch(batch, decoder.tokenizer.padId, 1 / labels));
  });
}

const parts = flags.only?.split(",") ?? ["encoder", "decoder", "caching"];
const texts = await pairs();
const result = {};
const caching = {};
await withFolder(async (folder) => {
  if (parts.includes("encoder")) result.encoder = await encoderParity(folder, texts);
  if (parts.includes("decoder")) result.decoder = await decoderParity(folder, texts);
});
for (const [name, { pairs: count, chunks, maxLength }] of Object.entries(parts.includes("caching") ? CACHING : {})) {
  const folder = name === "tiny" ? tinyModel("encoder") : realModel("encoder");
  if (folder)
    caching[name] = await cachingEquality(folder, enough(texts, count), chunks, {
      temperature: TEMPERATURE,
      maxLength,
      settings,
    });
}

const worst = {};
const trainer = parts.includes("trainer") ? await trainerParity({ temperature: TEMPERATURE }) : undefined;
if (trainer) {
  const losses = trainer.ours.map((loss, i) => `${loss.toFixed(6)} ${trainer.theirs[i].toFixed(6)}`).join(", ");
  console.log(
    `${trainer.model}, ours and sentence-transformers ${trainer.versions["sentence-transformers"]}, ${trainer.batch} pairs a step: ${losses}; at most ${show(trainer.worst)} apart`,
  );
  worst.trainer_loss = trainer.worst;
}
for (const [kind, { gradients, gradients_sdpa, loss_over_20_steps, pytorch: peer }] of Object.entries(result)) {
  console.log(
    `${kind}, against PyTorch ${peer.torch} (${peer.dtype}, attention: ${peer.attention}): ${gradients.compared} gradients (${gradients.negligible} zero but for rounding), worst relative L2 error ${show(gradients.worst.error)} (${gradients.worst.name}), against its fused attention ${show(gradients_sdpa.worst.error)}; loss over ${STEPS} steps within ${show(loss_over_20_steps)}`,
  );
  worst[`${kind}_gradient`] = gradients.worst.error;
  worst[`${kind}_gradient_sdpa`] = gradients_sdpa.worst.error;
  worst[`${kind}_loss`] = loss_over_20_steps;
}
for (const [name, { batch, chunks, uncached_from_double }] of Object.entries(caching)) {
  for (const [chunk, { loss, gradients, from_double }] of Object.entries(chunks)) {
    console.log(
      `gradient caching, ${name} encoder, batch ${batch}, chunk ${chunk}: loss within ${show(loss)}; gradients within ${show(gradients.all)} of one graph's all together, the worst ${show(gradients.worst.error)} (${gradients.worst.name}); worst from double precision: cached ${show(from_double.worst.error)}, one graph ${show(uncached_from_double.worst.error)}`,
    );
  }
}
const chunked = Object.values(caching).flatMap(({ chunks }) => Object.values(chunks));
if (chunked.length > 0) {
  const most = (figure) => Math.max(...chunked.map(figure));
  worst.caching_loss = most(({ loss }) => loss);
  worst.caching_gradient = most(({ from_double }) => from_double.worst.error);
  worst.caching_gradient_from_one_graph = most(({ gradients }) => gradients.worst.error);
  worst.caching_all_gradients_from_one_graph = most(({ gradients }) => gradients.all);
}
console.log(
  JSON.stringify({
    bench: "parity",
    worst,
    models: { encoder: basename(encoderFolder), decoder: basename(decoderFolder) },
    ...result,
    caching,
    trainer,
    processor,
  }),
);
