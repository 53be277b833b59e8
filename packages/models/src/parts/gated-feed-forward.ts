import { gated, split, type Value } from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";
import { ACTIVATIONS, type Activation } from "./activations.js";

export interface FeedForwardSizes {
  hidden: number;
  inner: number;
  activation: Activation;
  bias: boolean;
  /** Whether the last layer has a bias, where that differs. */
  down?: boolean;
}

/** down(activation(gate(x)) · up(x)) (Shazeer 2020) on x [rows, hidden], with the layers of these names. */
export function gatedFeedForward(
  parameters: Parameters,
  x: Value,
  [gate, up, down]: readonly [gate: string, up: string, down: string],
  { hidden, inner, activation, bias, down: last = bias }: FeedForwardSizes,
): Value {
  const activated = ACTIVATIONS[activation](parameters.linear(x, gate, hidden, inner, { bias }));
  const product = gated(activated, parameters.linear(x, up, hidden, inner, { bias }));
  return parameters.linear(product, down, inner, hidden, { bias: last });
}

/** The same where gate and up are one layer, whose first half is the gate's unless `upFirst`; [rows, inner], still to go down. */
export function fusedGate(
  parameters: Parameters,
  x: Value,
  name: string,
  { hidden, inner, activation, bias, upFirst = false }: FeedForwardSizes & { upFirst?: boolean },
): Value {
  const [first, second] = split(parameters.linear(x, name, hidden, 2 * inner, { bias }), [inner, inner], 1) as [
    Value,
    Value,
  ];
  const [gate, up] = upFirst ? [second, first] : [first, second];
  return gated(ACTIVATIONS[activation](gate), up);
}
