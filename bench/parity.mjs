// Is training the same as PyTorch's? Gradients of every parameter on one batch, and the loss over 20 steps of AdamW with
// warm-up, cosine and clipping, for an encoder (contrastive) and a decoder (answers only), both sides in fp32.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
import { flags, processor, python, quiet, realModel, SAMPLE, tinyModel, withFolder } from "./tools.mjs";

const encoderFolder = realModel("encoder") ?? tinyModel("encoder");
const decoderFolder = realModel("decoder") ?? tinyModel("decoder");

const STEPS = 20;
const settings = {
  learning_rate: 2e-5,
  weight_decay: 0.01,
  warmup_ratio: 0.1,
  lr_scheduler_type: "cosine",
  max_grad_norm: 1,
};
const TEMPERATURE = 0.05;

function relativeError(a, b) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return { error: Math.sqrt(difference / norm), norm: Math.sqrt(norm) };
}

/** Pairs of texts: `--texts` is a file of questions and answers (*_w_qa.jsonl), else the samples in halves. */
function pairs() {
  if (flags.texts) {
    if (!existsSync(flags.texts)) throw new Error(`${flags.texts}: no such file`);
    const rows = readFileSync(flags.texts, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    return rows.map((row) => ({
      question: row.question,
      passage: row.gold_docs[0].fmt_content,
      answer: row.gold_answer,
    }));
  }
  return SAMPLE.map((text) => ({
    question: text.slice(0, text.length / 2),
    passage: text,
    answer: text.slice(text.length / 2),
  }));
}

/** Largest relative L2 error of a gradient; those that are zero but for rounding (a key's bias) are measured against the largest. */
function worstGradient(ours, reference) {
  let largest = 0;
  for (const [, { data }] of reference) largest = Math.max(largest, relativeError(data, data).norm);
  let worst = { name: "", error: 0 };
  let compared = 0;
  let negligible = 0;
  for (const [name, { data }] of reference) {
    const gradient = ours.get(name);
    if (!gradient) throw new Error(`no gradient of ${name}`);
    const { error, norm } = relativeError(gradient, data);
    if (norm < 1e-5 * largest) negligible++;
    else if (error > worst.error) worst = { name, error };
    compared++;
  }
  return { compared, negligible, worst };
}

const worstLoss = (ours, theirs) =>
  Math.max(...ours.map((loss, i) => Math.abs(loss - theirs[i]) / Math.abs(theirs[i])));

/** Our side: a step for each batch; the first one's gradients and all losses against the peer's. */
async function train(model, weights, batches, peer, lossOf) {
  const optimizer = new OptimizerLoop(settings, STEPS);
  const parameters = [...weights].map(([name, weight]) => ({ name, ...weight }));
  const losses = [];
  let gradients;
  for (const batch of batches) {
    losses.push(await lossOf(batch));
    gradients ??= worstGradient(model.gradients, await readSafetensors(peer.gradientFile));
    optimizer.step(parameters, model.gradients);
  }
  await model.close();
  return {
    gradients,
    loss_over_20_steps: worstLoss(losses, peer.losses),
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
  const request = join(folder, "encoder.json");
  const gradientFile = join(folder, "encoder.safetensors");
  writeFileSync(
    request,
    JSON.stringify({
      kind: "encoder",
      model: encoder.folder,
      batches,
      temperature: TEMPERATURE,
      settings,
      gradientFile,
    }),
  );
  const peer = python("parity.py", request);

  const model = await createTrainableEncoder(encoder);
  const loss = await createContrastiveLoss({ dimensions, similarity: "cosine", temperature: TEMPERATURE });
  return train(model, encoder.weights, batches, { losses: peer.losses, gradientFile }, ({ queries, keys, labels }) => {
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
    const split = queries.length * dimensions;
    return cachedBackward(model, chunks, { total: sequences.length, dimensions }, async (vectors) => {
      const result = await loss.run({
        queries: vectors.subarray(0, split),
        keys: vectors.subarray(split),
        dimensions,
        labels,
      });
      const all = new Float32Array(vectors.length);
      all.set(result.queryGradients);
      all.set(result.keyGradients, split);
      return { loss: result.loss, gradients: all };
    });
  });
}

async function decoderParity(folder, data) {
  const decoder = await loadDecoder(decoderFolder, quiet);
  const encode = (text) => decoder.tokenizer.encode(text);
  const examples = data.map((row) => ({
    prompt: encode(`${row.passage}\n\nUSER: ${row.question} ASSISTANT:`).slice(-700),
    answer: encode(` ${row.answer}`).slice(0, 100),
  }));
  const batches = Array.from({ length: STEPS }, (_, step) =>
    [0, 1].map((i) => examples[(step * 2 + i) % examples.length]),
  );
  const request = join(folder, "decoder.json");
  const gradientFile = join(folder, "decoder.safetensors");
  writeFileSync(request, JSON.stringify({ kind: "decoder", model: decoder.folder, batches, settings, gradientFile }));
  const peer = python("parity.py", request);

  const model = await createTrainableDecoder(decoder);
  return train(model, decoder.weights, batches, { losses: peer.losses, gradientFile }, (batch) => {
    const labels = batch.reduce((sum, { answer }) => sum + answer.length, 0);
    return model.backward(createAnswerBatch(batch, decoder.tokenizer.padId, 1 / labels));
  });
}

const result = await withFolder(async (folder) => ({
  encoder: await encoderParity(folder, pairs()),
  decoder: await decoderParity(folder, pairs()),
  processor,
}));
for (const kind of ["encoder", "decoder"]) {
  const { gradients, loss_over_20_steps } = result[kind];
  console.log(
    `${kind}: ${gradients.compared} gradients (${gradients.negligible} zero but for rounding), worst relative L2 error ${gradients.worst.error.toExponential(2)} (${gradients.worst.name}); loss over ${STEPS} steps within ${loss_over_20_steps.toExponential(2)}`,
  );
}
console.log(JSON.stringify(result));
