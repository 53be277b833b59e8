import { ShuffledBatches } from "@rag-ft/train";
import { expect, it } from "vitest";
import { inTrainingOrder, stepsOf } from "./training-order.js";

const settings = {
  ...{ per_device_train_batch_size: 2, gradient_accumulation_steps: 1, nproc_per_node: 2, nnodes: 1 },
  ...{ num_train_epochs: 3, max_steps: -1, seed: 7 },
};
const examples = Array.from({ length: 8 }, (_, i) => i);

it("the steps are the local engine's, with batches as large as those of all processes together", () => {
  const local = new ShuffledBatches(examples, 4, 7);
  const order = [...inTrainingOrder(examples, settings)];
  expect(order).toHaveLength(24);
  const steps = Array.from({ length: stepsOf(settings, 8) }, (_, i) => order.slice(4 * i, 4 * i + 4));
  expect(steps).toEqual(Array.from({ length: 6 }, (_, i) => local.at(i)));
  expect(steps[0]).not.toEqual(steps[2]);
});

it("epochs that do not divide into steps are each trained on once, and max_steps fills every step", () => {
  const seven = examples.slice(0, 7);
  const order = [...inTrainingOrder(seven, settings)];
  expect(stepsOf(settings, 7)).toBe(6);
  expect(seven.map((one) => order.filter((other) => other === one).length)).toEqual(seven.map(() => 3));
  const limited = { ...settings, max_steps: 5 };
  expect([stepsOf(limited, 7), [...inTrainingOrder(seven, limited)].length]).toEqual([5, 20]);
});
