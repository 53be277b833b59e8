import { InternalError } from "@rag-ft/core";
import { add, type Node, orderNodes, showShape, type Value } from "@rag-ft/onnx";
import { attentionRules } from "./attention-rules.js";
import { elementwiseRules } from "./elementwise-rules.js";
import { matrixRules } from "./matrix-rules.js";
import { normaliseRules } from "./normalise-rules.js";
import type { Rule } from "./rule.js";
import { shapeRules, sumToShape, zerosLike } from "./shape-rules.js";

/** The table of rules, one row an operator. */
export const gradientRules: Readonly<Record<string, Rule>> = {
  ...attentionRules,
  ...elementwiseRules,
  ...matrixRules,
  ...normaliseRules,
  ...shapeRules,
};

/** Nodes from which some wanted value can be reached: the others need no gradient. */
function nodesThatMatter(order: readonly Node[], wanted: ReadonlySet<Value>): Set<Node> {
  const matter = new Set<Node>();
  for (const node of order) {
    const matters = node.inputs.some(
      (value) => wanted.has(value) || (value.node !== undefined && matter.has(value.node)),
    );
    if (matters) matter.add(node);
  }
  return matter;
}

/**
 * Reverse-mode differentiation. Given values and the gradient of a scalar with respect to each (`[value, gradient]`),
 * returns that scalar's gradient with respect to each of `wanted`, inputs or values that nodes compute, as graph values in the same
 * graph.
 *
 * 1. Order the nodes; keep those that lead from a wanted value.
 * 2. Walk them backwards. A node's output gradients are complete by then: sum them, ask the node's rule, sum each answer
 *    back over broadcast axes, and file it under the input.
 *
 * A wanted value that nothing depends on gets zeros. `rules` adds rows to the table, or takes the place of some.
 *
 * @throws InternalError for an operator without a rule, naming operator and output shape.
 */
export function backward(
  seeds: readonly (readonly [Value, Value])[],
  wanted: readonly Value[],
  rules: Readonly<Record<string, Rule>> = {},
): Value[] {
  const wantedSet = new Set(wanted);
  const order = orderNodes(seeds.map(([value]) => value));
  const matter = nodesThatMatter(order, wantedSet);
  const filed = new Map<Value, Value[]>();
  const file = (value: Value, gradient: Value): void => {
    const list = filed.get(value);
    if (list) list.push(gradient);
    else filed.set(value, [gradient]);
  };
  const collect = (value: Value): Value | undefined => {
    const sum = filed.get(value)?.reduce((a, b) => add(a, b));
    if (sum) filed.set(value, [sum]); // a wanted value that a node computes is asked for twice
    return sum;
  };

  for (const [value, gradient] of seeds) file(value, gradient);
  for (const node of order.toReversed()) {
    if (!matter.has(node)) continue;
    const outputGradients = node.outputs.map(collect);
    const gradient = outputGradients.find((value) => value !== undefined);
    if (!gradient) continue;
    const wants = (index: number): boolean => {
      const value = node.inputs[index];
      return value !== undefined && (wantedSet.has(value) || (value.node !== undefined && matter.has(value.node)));
    };
    const rule = rules[node.op] ?? gradientRules[node.op];
    if (!rule) {
      throw new InternalError(
        `no gradient rule for operator ${node.op} (output ${showShape(node.outputs[0]?.shape ?? [])}); add a row to packages/train/src/gradients`,
      );
    }
    const gradients = rule({ node, gradient, outputGradients, wants });
    gradients.forEach((answer, i) => {
      const value = node.inputs[i];
      if (answer && value && wants(i)) file(value, sumToShape(answer, value));
    });
  }
  return wanted.map((value) => collect(value) ?? zerosLike(value));
}
