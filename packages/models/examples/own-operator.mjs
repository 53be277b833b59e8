// An operator that the gradient table lacks, with its rule: Softplus, log(1 + eˣ), whose derivative is the sigmoid.
//
//     node packages/models/examples/own-operator.mjs
import { apply, constant, createSession, floatTensor, input, mul, reduceSum, sigmoid } from "@rag-ft/onnx";
import { backward, checkGradient } from "@rag-ft/train";

/** An operator is a function: it names ONNX's operator, and says of what type and shape the output is. */
const softplus = (x) => apply("Softplus", [x], { dtype: x.dtype, shape: x.shape });

/** A rule gets the node and the gradient of its output, and returns the gradients of its inputs, as more graph. */
const rules = { Softplus: ({ node, gradient }) => [mul(gradient, sigmoid(node.inputs[0]))] };

// Compared with finite differences, and the output with what was worked out by hand.
export const { output, worst } = await checkGradient({
  shapes: [[3]],
  values: [[0, 1, -2]],
  build: ([x]) => softplus(x),
  rules,
});
console.log(`softplus of 0, 1 and -2: ${[...output].map((value) => value.toFixed(4)).join(", ")}`);
console.log(`gradient within ${worst.toExponential(1)} of finite differences`);

// In use: d/dx Σ softplus(x)².
const x = input("x", "float32", ["n"]);
const y = softplus(x);
const [gradient] = backward([[reduceSum(mul(y, y), [0]), constant(1)]], [x], rules);
const session = await createSession({ outputs: { gradient } });
const result = await session.run({ x: floatTensor(Float32Array.of(0, 1, -2), [3]) });
export const gradients = [...result.gradient.data];
console.log(`gradient of the sum of squares: ${gradients.map((value) => value.toFixed(4)).join(", ")}`);
await session.close();
