import {
  add,
  constant,
  div,
  exp,
  lessOrEqual,
  mul,
  neg,
  normalCumulative,
  sigmoid,
  sub,
  type Value,
  where,
} from "@rag-ft/onnx";
import { madeAgain, type Rule } from "./rule.js";

const first = (values: readonly Value[]): Value => values[0] as Value;
const second = (values: readonly Value[]): Value => values[1] as Value;

/** Rules of operators that work element by element; x is the input, y the output, d the gradient of y. */
export const elementwiseRules: Record<string, Rule> = {
  Add: ({ gradient }) => [gradient, gradient],
  Sub: ({ gradient, wants }) => [gradient, wants(1) ? neg(gradient) : undefined],
  Mul: ({ node, gradient, wants }) => [
    wants(0) ? mul(gradient, madeAgain(second(node.inputs))) : undefined,
    wants(1) ? mul(gradient, madeAgain(first(node.inputs))) : undefined,
  ],
  Div: ({ node, gradient, wants }) => {
    const scaled = div(gradient, second(node.inputs));
    return [scaled, wants(1) ? neg(mul(scaled, first(node.outputs))) : undefined];
  },
  Neg: ({ gradient }) => [neg(gradient)],
  Exp: ({ node, gradient }) => [mul(gradient, first(node.outputs))],
  Log: ({ node, gradient }) => [div(gradient, first(node.inputs))],
  Sqrt: ({ node, gradient }) => [div(mul(gradient, 0.5), first(node.outputs))],
  Erf: ({ node, gradient }) => {
    const x = first(node.inputs);
    return [mul(gradient, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))];
  },
  Tanh: ({ node, gradient }) => {
    const y = first(node.outputs);
    return [sub(gradient, mul(gradient, mul(y, y)))];
  },
  Sigmoid: ({ node, gradient }) => {
    const y = first(node.outputs);
    return [mul(gradient, mul(y, sub(1, y)))];
  },
  // The derivative at 0 is taken as 0, as PyTorch does.
  Relu: ({ node, gradient }) => [where(lessOrEqual(first(node.inputs), constant(0)), constant(0), gradient)],
  // d/dx x Φ(x) = Φ(x) + x φ(x), with Φ and φ the normal distribution's: φ(x) = exp(-(x / √2)² - ln √(2π)).
  Gelu: ({ node, gradient }) => {
    const x = first(node.inputs);
    const scaled = mul(x, Math.SQRT1_2);
    const density = exp(sub(-0.5 * Math.log(2 * Math.PI), mul(scaled, scaled)));
    return [mul(gradient, add(normalCumulative(x), mul(x, density)))];
  },
  // As SiLU, with α = 1: d/dx x σ(x) = σ(x) + x σ(x) (1 - σ(x)).
  QuickGelu: ({ node, gradient }) => {
    const x = first(node.inputs);
    const slope = sigmoid(x);
    return [mul(gradient, add(slope, mul(mul(x, slope), sub(1, slope))))];
  },
  Where: ({ node, gradient, wants }) => [
    undefined,
    wants(1) ? where(first(node.inputs), gradient, constant(0)) : undefined,
    wants(2) ? where(first(node.inputs), constant(0), gradient) : undefined,
  ],
};
