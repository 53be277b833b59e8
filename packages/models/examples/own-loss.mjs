// A loss of one's own on an encoder: the cosine of two texts is to be a given score (Reimers & Gurevych 2019).
//
//     node packages/models/examples/own-loss.mjs
import { fileURLToPath } from "node:url";
import { silentReporter } from "@rag-ft/core";
import { createTokenBatch, createTrainableEncoder, loadEncoder, tokenise } from "@rag-ft/models";
import * as graph from "@rag-ft/onnx";
import { AdamW, backward, clearGradients } from "@rag-ft/train";

const texts = [
  "How do I set a timeout?",
  "The timeout option takes milliseconds.",
  "Which port does the server use?",
  "The server listens on port 8080.",
];
const pairs = { left: [0, 0, 2, 2], right: [1, 3, 3, 1], scores: [0.9, 0.1, 0.9, 0.1] };

const folder = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const encoder = await loadEncoder(folder, { env: process.env, reporter: silentReporter });
const model = await createTrainableEncoder(encoder);
const { dimensions } = encoder.graph;

// 1. The loss sees vectors [texts, dimensions], not models, and gives their gradient.
const vectors = graph.input("vectors", "float32", ["texts", dimensions]);
const lengths = graph.sqrt(graph.reduceSum(graph.mul(vectors, vectors), [-1], { keepDims: true }));
const rows = (name) => graph.gather(graph.div(vectors, lengths), graph.input(name, "int64", ["pairs"]));
const cosines = graph.reduceSum(graph.mul(rows("left"), rows("right")), [1]);
const error = graph.sub(cosines, graph.input("scores", "float32", ["pairs"]));
const loss = graph.reduceMean(graph.mul(error, error), [0]);
const [gradient] = backward([[loss, graph.constant(1)]], [vectors]);
const session = await graph.createSession({ outputs: { loss, gradient } });

// 2. Forward, the loss, backward, and a step of AdamW over the model's own arrays.
const sequences = tokenise(encoder, texts, "passage");
const batch = createTokenBatch(sequences, encoder.tokenizer.padId, encoder.settings.pooling);
const given = {
  left: graph.intTensor(pairs.left, [4]),
  right: graph.intTensor(pairs.right, [4]),
  scores: graph.floatTensor(Float32Array.from(pairs.scores), [4]),
};
const trained = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
const adamw = new AdamW();
export const losses = [];
for (let step = 0; step < 10; step++) {
  const made = graph.floatTensor(await model.forward(batch), [texts.length, dimensions]);
  const result = await session.run({ ...given, vectors: made });
  losses.push(result.loss.data[0]);
  await model.backward(batch, result.gradient.data);
  await adamw.update(trained, model.gradients, 2e-4);
  clearGradients(model.gradients);
}
console.log(`losses: ${losses.map((value) => value.toFixed(4)).join(", ")}`);
await adamw.close();
await session.close();
await model.close();
