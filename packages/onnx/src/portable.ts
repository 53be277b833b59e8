import { add, div, mul, reduceMean, sqrt } from "./ops/index.js";
import { orderNodes } from "./order.js";
import { applyNode, type Value, withoutComposites } from "./value.js";

/**
 * The graph in a form that other devices than the CPU compute rightly. ONNX Runtime's WebGPU gives the mean of x as the second output of
 * SimplifiedLayerNormalization, 1 / √(mean x² + ε) on the CPU: here that is computed by operators of its own.
 */
export function portableOutputs(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const made = new Map<Value, Value>();
  const now = (value: Value): Value => {
    const written = withoutComposites(value);
    return made.get(written) ?? written;
  };
  for (const node of orderNodes(Object.values(outputs), { expand: true })) {
    const inputs = node.inputs.map(now);
    const [normal, inverse] = node.outputs as [Value, Value?];
    if (node.op === "SimplifiedLayerNormalization" && inverse) {
      const [same] = applyNode(node.op, inputs, [normal], { ...node.attributes }, node.domain) as [Value];
      made.set(normal, same);
      const { epsilon } = node.attributes;
      const floor = typeof epsilon === "object" && "float" in epsilon ? epsilon.float : 0;
      const x = inputs[0] as Value;
      made.set(inverse, div(1, sqrt(add(reduceMean(mul(x, x), [-1], { keepDims: true }), floor))));
    } else if (inputs.some((value, i) => value !== node.inputs[i])) {
      const again = applyNode(node.op, inputs, node.outputs, { ...node.attributes }, node.domain);
      node.outputs.forEach((output, i) => {
        made.set(output, again[i] as Value);
      });
    }
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, now(value)]));
}
