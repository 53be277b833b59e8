import { createRandom } from "@rag-ft/core";
import { constant, createSession, floatTensor, input, mul, sumAll, type Tensor, type Value } from "@rag-ft/onnx";
import { backward } from "./backward.js";
import type { Rule } from "./rule.js";

/** A tiny graph over float inputs, for checking a rule. */
export interface GradientCase {
  /** Shapes of the float inputs. */
  shapes: readonly (readonly number[])[];
  /** Further inputs that have no gradient. */
  others?: Readonly<Record<string, Tensor>>;
  build(inputs: Value[], others: Record<string, Value>): Value;
  /** Values of the inputs; by default from a seed, in [-1, 1]. */
  values?: (number[] | undefined)[];
  /** The forward result, when it is worked out by hand. */
  expected?: readonly number[];
  /** Rows beside the table's. */
  rules?: Readonly<Record<string, Rule>>;
}

export interface GradientCheck {
  /** The forward result. */
  output: Float32Array;
  /** Largest difference between a gradient and its finite difference, relative to the largest gradient. */
  worst: number;
  /** Largest gradient, to see that the check is not vacuous. */
  largest: number;
}

/** A step that balances float32 rounding against curvature. */
const STEP = 1e-2;

/** Compares the gradient of a randomly weighted sum of the output with central finite differences. */
export async function checkGradient(test: GradientCase): Promise<GradientCheck> {
  const random = createRandom(7);
  const names = test.shapes.map((_, i) => `x${i}`);
  const inputs = test.shapes.map((shape, i) => input(names[i] as string, "float32", shape));
  const others = Object.fromEntries(
    Object.entries(test.others ?? {}).map(([name, tensor]) => [name, input(name, tensor.dtype, tensor.shape)]),
  );
  const output = test.build(inputs, others);
  const size = output.shape.reduce<number>((a, b) => a * (b as number), 1);
  const weights = constant(
    Array.from({ length: size }, () => random.next() + 0.5),
    output.shape as number[],
  );
  const loss = sumAll(mul(output, weights));
  const gradients = backward([[loss, constant(1)]], inputs, test.rules);
  const session = await createSession({
    outputs: { output, loss, ...Object.fromEntries(gradients.map((value, i) => [`d${i}`, value])) },
    inputs: [...inputs, ...Object.values(others)],
  });
  const data = test.shapes.map((shape, i) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return Float32Array.from(test.values?.[i] ?? Array.from({ length }, () => random.next() * 2 - 1));
  });
  const feeds = (): Record<string, Tensor> => ({
    ...test.others,
    ...Object.fromEntries(data.map((array, i) => [names[i] as string, floatTensor(array, test.shapes[i] as number[])])),
  });
  const result = await session.run(feeds());
  const lossNow = async (): Promise<number> => (await session.run(feeds())).loss?.data[0] as number;
  let worst = 0;
  let largest = 0;
  for (const [i, array] of data.entries()) {
    const gradient = result[`d${i}`]?.data as Float32Array;
    for (let j = 0; j < array.length; j++) {
      const held = array[j] as number;
      array[j] = held + STEP;
      const above = await lossNow();
      array[j] = held - STEP;
      const below = await lossNow();
      array[j] = held;
      worst = Math.max(worst, Math.abs((above - below) / (2 * STEP) - (gradient[j] as number)));
      largest = Math.max(largest, Math.abs(gradient[j] as number));
    }
  }
  await session.close();
  return { output: result.output?.data as Float32Array, worst: worst / Math.max(1, largest), largest };
}
