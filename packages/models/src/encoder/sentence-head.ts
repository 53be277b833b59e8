import {
  argMax,
  cast,
  constant,
  gatherElements,
  input,
  linear,
  MASKED,
  matmul,
  reshape,
  split,
  unsqueeze,
  type Value,
  where,
} from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";
import { ACTIVATIONS, type Activation } from "../parts/activations.js";
import type { EncoderGraph, EncoderInputs } from "./encoder-architecture.js";

/** A Dense module of sentence-transformers: a linear layer on pooled vectors, and an activation. */
export interface DenseLayer {
  /** Its folder in the model's, such as `2_Dense`; its weights are `<folder>.linear.weight` and `.bias`. */
  folder: string;
  inputs: number;
  outputs: number;
  bias: boolean;
  activation: Activation | "identity";
}

/** What makes vectors of hidden states, in this order. */
export interface SentenceHead {
  /** The largest of each entry over the tokens, in place of their weighted sum. */
  max?: boolean;
  /** The first token's, in place of their weighted sum. */
  first?: boolean;
  dense?: readonly DenseLayer[];
  /** Vectors keep so many entries (Kusupati et al. 2022). */
  truncate?: number | undefined;
}

/** An encoder with what comes after pooling; its `dimensions` are those of a vector. */
export interface VectorGraph extends EncoderGraph {
  head?: SentenceHead;
  /** Width of the hidden states, where a vector's length differs. */
  hiddenSize?: number;
}

/** An encoder's graph with a head. */
export function withHead(graph: EncoderGraph, head: SentenceHead): VectorGraph {
  const dimensions = head.truncate ?? head.dense?.at(-1)?.outputs ?? graph.dimensions;
  return { ...graph, head, dimensions, hiddenSize: graph.dimensions };
}

/** The largest entries over the tokens of hidden states [batch, tokens, hidden]; of equal ones the first, as PyTorch's gradient has it. */
function largest(hidden: Value, mask: Value): Value {
  const isToken = unsqueeze(cast(mask, "bool"), [2]);
  return gatherElements(hidden, argMax(where(isToken, hidden, constant(MASKED)), 1), 1);
}

/** One vector of each text, [batch, hidden]; `pool` [batch, 1, tokens] has the weight of each token. */
function pooledStates(graph: VectorGraph, parameters: Parameters, inputs: EncoderInputs): Value {
  if (graph.head?.first && graph.firstStates) return graph.firstStates(parameters, inputs);
  const hidden = graph.hiddenStates(parameters, inputs);
  const pooled = graph.head?.max
    ? largest(hidden, inputs.mask)
    : matmul(input("pool", "float32", ["batch", 1, "tokens"]), hidden);
  return reshape(pooled, ["batch", Number(hidden.shape[2])]);
}

/** Vectors [batch, dimensions] of texts, not normalised. */
export function textVectors(graph: VectorGraph, parameters: Parameters, inputs: EncoderInputs): Value {
  const head = graph.head ?? {};
  let vectors = pooledStates(graph, parameters, inputs);
  for (const { folder, inputs, outputs, bias, activation } of head.dense ?? []) {
    const weight = parameters.get(`${folder}.linear.weight`, [outputs, inputs]);
    const made = linear(vectors, weight, bias ? parameters.get(`${folder}.linear.bias`, [outputs]) : undefined);
    vectors = activation === "identity" ? made : ACTIVATIONS[activation](made);
  }
  const size = Number(vectors.shape[1]);
  if (head.truncate === undefined || head.truncate === size) return vectors;
  return split(vectors, [head.truncate, size - head.truncate], 1)[0] as Value;
}
