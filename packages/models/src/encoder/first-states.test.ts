import { describe, expect, it } from "vitest";
import { relativeError } from "../testing/relative-error.js";
import { tinyEncoder } from "../testing/tiny-models.js";
import { WindowedDropout } from "./dropout.js";
import { createTokenBatch } from "./token-batch.js";
import { createTrainableEncoder, type TrainableEncoder } from "./trainable-encoder.js";

const SEQUENCES = [
  [2, 5, 9, 31, 7, 3],
  [2, 17, 17, 3],
  [2, 39, 3],
];
const NAMES = [
  "tiny-bert",
  "tiny-xlm-roberta",
  "tiny-mpnet",
  "tiny-nomic-bert",
  "tiny-gte",
  "tiny-jina-v3",
  "tiny-distilbert",
];

/** Vectors of a batch, and gradients of their sum weighed by place. */
async function computed(model: TrainableEncoder) {
  const batch = createTokenBatch(SEQUENCES, 0, "cls");
  const vectors = await model.forward(batch);
  await model.backward(
    batch,
    vectors.map((_, i) => Math.sin(i)),
  );
  const gradients = new Map([...model.gradients].map(([name, data]) => [name, Float32Array.from(data)]));
  await model.close();
  return { vectors, gradients };
}

describe.each(NAMES)("%s", (name) => {
  it("gives the first token's state as the whole last layer does, and its gradients", async () => {
    const encoder = await tinyEncoder(name, "cls");
    const { firstStates, ...whole } = encoder.graph;
    expect(firstStates).toBeDefined();
    const short = await computed(await createTrainableEncoder(encoder));
    const long = await computed(await createTrainableEncoder({ ...encoder, graph: whole }));
    expect(relativeError(short.vectors, long.vectors)).toBeLessThan(1e-6);
    expect([...short.gradients.keys()]).toEqual([...long.gradients.keys()]);
    for (const [key, gradient] of short.gradients) {
      // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
      if (/(key|attn\.k|k_lin)\.bias$/.test(key)) continue;
      expect(relativeError(gradient, long.gradients.get(key) as Float32Array), key).toBeLessThan(1e-5);
    }
  });
});

it("goes with dropout, and with activations that were kept: the same bits", async () => {
  const encoder = await tinyEncoder("tiny-bert", "cls");
  const batch = createTokenBatch(SEQUENCES, 0, "cls");
  const seeds = Float32Array.from({ length: 3 * encoder.graph.dimensions }, (_, i) => Math.sin(i));
  const gradients = [];
  for (const activationBytes of [0, 2 ** 23]) {
    const dropout = new WindowedDropout(0.1);
    const model = await createTrainableEncoder(encoder, { dropout, activationBytes });
    const plain = await model.forward(batch);
    dropout.draw(1);
    expect(await model.forwardKeeping(batch)).not.toEqual(plain);
    expect(model.keeps(batch)).toBe(activationBytes > 0);
    await model.backward(batch, seeds);
    gradients.push(new Map(model.gradients));
    await model.close();
  }
  expect(gradients[1]).toEqual(gradients[0]);
});
