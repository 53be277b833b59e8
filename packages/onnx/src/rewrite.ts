import { orderNodes } from "./order.js";
import { applyNode, type Node, type Value, withoutComposites } from "./value.js";

/**
 * The same graph with some nodes computed otherwise. `replace` is given a node and its inputs as they are now, and returns what stands for its outputs (the
 * first of them, where nothing reads the others), or undefined to leave the node as it is.
 */
export function rewriteGraph(
  outputs: Readonly<Record<string, Value>>,
  replace: (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
): Record<string, Value> {
  const made = new Map<Value, Value>();
  const now = (value: Value): Value => {
    const written = withoutComposites(value);
    return made.get(written) ?? written;
  };
  for (const node of orderNodes(Object.values(outputs), { expand: true })) {
    const inputs = node.inputs.map(now);
    const same = inputs.every((value, i) => value === node.inputs[i]);
    const again =
      replace(node, inputs) ??
      (same ? [] : applyNode(node.op, inputs, node.outputs, { ...node.attributes }, node.domain));
    for (const [i, value] of again.entries()) made.set(node.outputs[i] as Value, value);
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, now(value)]));
}
