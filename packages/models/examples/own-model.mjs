// A model of one's own, trained from nothing: two linear layers learn y = sin x.
//
//     node packages/models/examples/own-model.mjs
import { createGradientSession, Parameters, parameterGradients, randomWeights, weightInputs } from "@rag-ft/models";
import { constant, floatTensor, input, mul, reduceMean, sub, tanh } from "@rag-ft/onnx";
import { AdamW, clearGradients } from "@rag-ft/train";

// 1. The graph, up to the loss. Nothing is computed yet; `rows` stands for any number of rows.
const x = input("x", "float32", ["rows", 1]);
const y = input("y", "float32", ["rows", 1]);
const parameters = new Parameters();
const hidden = tanh(parameters.linear(x, "hidden", 1, 32));
const guess = parameters.linear(hidden, "output", 32, 1);
const error = sub(guess, y);
const loss = reduceMean(mul(error, error), [0, 1]);

// 2. Loss and the gradients of all weights, compiled as one graph.
const weights = randomWeights(parameters, 1);
const gradients = parameterGradients([[loss, constant(1)]], parameters);
const model = await createGradientSession({ loss, guess }, gradients, weights);

// 3. Training: a run adds gradients, a step of AdamW changes the arrays that the next run reads.
const points = Float32Array.from({ length: 64 }, (_, i) => (i / 63 - 0.5) * 2 * Math.PI);
const batch = {
  ...weightInputs(weights),
  x: floatTensor(points, [64, 1]),
  y: floatTensor(points.map(Math.sin), [64, 1]),
};
const trained = [...weights].map(([name, weight]) => ({ name, ...weight }));
const adamw = new AdamW();
export const losses = [];
for (let step = 0; step < 400; step++) {
  const result = await model.run(batch);
  losses.push(result.loss.data[0]);
  await adamw.update(trained, model.gradients, 0.01);
  clearGradients(model.gradients);
}
console.log(`loss ${losses[0].toFixed(4)} at first, ${losses.at(-1).toFixed(6)} after ${losses.length} steps`);

// 4. The same graph serves any number of rows.
const one = { ...batch, x: floatTensor(Float32Array.of(1), [1, 1]), y: floatTensor(Float32Array.of(0), [1, 1]) };
export const sineOfOne = (await model.run(one)).guess.data[0];
console.log(`sin 1 is about ${sineOfOne.toFixed(3)}, it is ${Math.sin(1).toFixed(3)}`);
await adamw.close();
await model.close();
