// Is gradient caching exact? Loss and gradients of a contrastive batch in chunks, against one graph from token ids through the loss to the
// weights' gradients, which caches nothing. The chunk divides the batch, or does not. PyTorch's gradients in double precision say which of the
// two is nearer to the truth: both round, and one graph sums longer columns.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createTokenBatch,
  createTrainableEncoder,
  loadEncoder,
  Parameters,
  readSafetensors,
  sentenceVectors,
  tokenise,
} from "../packages/models/dist/index.js";
import {
  add,
  constant,
  createSession,
  div,
  floatTensor,
  gather,
  input,
  intTensor,
  matmul,
  mul,
  reduceSum,
  sqrt,
} from "../packages/onnx/dist/index.js";
import { backward, cachedBackward, createContrastiveLoss, crossEntropy } from "../packages/train/dist/index.js";
import { worstGradient } from "./gradient-error.mjs";
import { python, quiet, withFolder } from "./tools.mjs";

/** The whole batch in one graph: loss, and gradients by weight name. */
async function uncached(encoder, sequences, labels, temperature) {
  const parameters = new Parameters();
  const vectors = sentenceVectors(encoder.graph, parameters);
  const unit = div(vectors, sqrt(add(reduceSum(mul(vectors, vectors), [-1], { keepDims: true }), constant(1e-24))));
  const queries = gather(unit, input("query_rows", "int64", ["queries"]));
  const keys = gather(unit, input("key_rows", "int64", ["keys"]));
  const scores = matmul(queries, keys, { transB: true, alpha: 1 / temperature });
  const loss = crossEntropy(scores, input("labels", "int64", ["queries"]), input("weights", "float32", ["queries"]));
  const entries = parameters.entries();
  const gradients = backward(
    [[loss, constant(1)]],
    entries.map(([, value]) => value),
  );
  const outputs = Object.fromEntries(gradients.map((gradient, i) => [`gradient ${i}`, gradient]));
  const session = await createSession({ outputs: { loss, ...outputs } });
  const size = labels.length;
  const rows = (from, count) =>
    intTensor(
      Array.from({ length: count }, (_, i) => from + i),
      [count],
    );
  const result = await session.run({
    ...Object.fromEntries([...encoder.weights].map(([name, { data, shape }]) => [name, floatTensor(data, shape)])),
    ...createTokenBatch(sequences, encoder.tokenizer.padId, encoder.settings.pooling).inputs,
    query_rows: rows(0, size),
    key_rows: rows(size, sequences.length - size),
    labels: intTensor(labels, [size]),
    weights: floatTensor(new Float32Array(size).fill(1 / size), [size]),
  });
  await session.close();
  return {
    loss: result.loss.data[0],
    gradients: new Map(entries.map(([name], i) => [name, { data: result[`gradient ${i}`].data }])),
  };
}

/** As training does it: chunks of the rows, each run twice. */
async function cached(model, loss, sequences, labels, chunkRows) {
  const { graph, tokenizer, settings } = model.encoder;
  const { dimensions } = graph;
  for (const sum of model.gradients.values()) sum.fill(0);
  const chunks = [];
  for (let start = 0; start < sequences.length; start += chunkRows) {
    const rows = Array.from({ length: Math.min(chunkRows, sequences.length - start) }, (_, i) => start + i);
    const chunk = createTokenBatch(
      rows.map((row) => sequences[row]),
      tokenizer.padId,
      settings.pooling,
    );
    chunks.push({ rows, chunk });
  }
  return cachedBackward(model, chunks, { total: sequences.length, dimensions }, (vectors) =>
    loss.runTogether(vectors, { labels }),
  );
}

/** PyTorch's gradients of the batch, without caching, computed in double precision. */
async function truth(encoder, queries, keys, labels, temperature, settings) {
  return withFolder(async (folder) => {
    const request = join(folder, "request.json");
    const gradientFile = join(folder, "gradients.safetensors");
    const batches = [{ queries, keys, labels }];
    writeFileSync(
      request,
      JSON.stringify({
        kind: "encoder",
        model: encoder.folder,
        dtype: "float64",
        batches,
        temperature,
        settings,
        gradientFile,
      }),
    );
    python("parity.py", request);
    return readSafetensors(gradientFile);
  });
}

/**
 * Relative errors of loss and gradients for each size of chunk. `pairs` have different passages; `maxLength` bounds the one graph's memory.
 */
export async function cachingEquality(folder, pairs, chunkSizes, { temperature, maxLength, settings }) {
  const encoder = await loadEncoder(folder, { ...quiet, overrides: { similarity: "cosine", max_length: maxLength } });
  const queries = tokenise(
    encoder,
    pairs.map((pair) => pair.question),
    "query",
  );
  const keys = tokenise(
    encoder,
    pairs.map((pair) => pair.passage),
    "passage",
  );
  const sequences = [...queries, ...keys];
  const labels = pairs.map((_, i) => i);
  const reference = await uncached(encoder, sequences, labels, temperature);
  const exact = await truth(encoder, queries, keys, labels, temperature, settings);
  const model = await createTrainableEncoder(encoder);
  const loss = await createContrastiveLoss({ dimensions: encoder.graph.dimensions, similarity: "cosine", temperature });
  const chunks = {};
  for (const size of chunkSizes) {
    const value = await cached(model, loss, sequences, labels, size);
    chunks[`${size} ${pairs.length % size === 0 ? "divides" : "does not divide"}`] = {
      loss: Math.abs(value - reference.loss) / Math.abs(reference.loss),
      gradients: worstGradient(model.gradients, reference.gradients),
      from_double: worstGradient(model.gradients, exact),
    };
  }
  await loss.close();
  await model.close();
  const uncachedFromDouble = worstGradient(
    new Map([...reference.gradients].map(([name, { data }]) => [name, data])),
    exact,
  );
  return { batch: pairs.length, loss: reference.loss, chunks, uncached_from_double: uncachedFromDouble };
}
