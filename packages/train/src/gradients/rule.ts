import type { Node, Value } from "@rag-ft/onnx";

/** What a rule sees: the node, and the gradient of each of its outputs (undefined where nothing depends on it). */
export interface RuleContext {
  node: Node;
  /** Gradient of the first output; a rule is asked only when there is one, unless it reads `outputGradients`. */
  gradient: Value;
  outputGradients: readonly (Value | undefined)[];
  /** Whether the gradient of input i is wanted: what is not need not be built. */
  wants(index: number): boolean;
}

/**
 * A row of the table: gradients of a node's inputs, as graph values; undefined for an input that has none. A gradient may
 * have the broadcast shape: the walker sums it back to the input's.
 */
export type Rule = (context: RuleContext) => readonly (Value | undefined)[];

/** What a rule should read of a value whose shape is not all it needs: the twin that is made again, where there is one. */
export function madeAgain(value: Value): Value {
  return value.again ?? value;
}
