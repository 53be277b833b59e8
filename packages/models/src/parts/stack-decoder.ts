import { mul } from "@rag-ft/onnx";
import type { DecoderGraph } from "../decoder/decoder-architecture.js";
import { type Stack, stackGraph } from "./stack.js";

export interface StackHead {
  /** Whether the head's matrix is the embeddings'. */
  tied: boolean;
  /** Logits are divided by it. */
  divisor?: number;
}

/** A language model of Llama's form, with Hugging Face's names of weights. */
export function stackDecoder(stack: Stack, { tied, divisor = 1 }: StackHead): DecoderGraph {
  return {
    hiddenSize: stack.hidden,
    vocabularySize: stack.vocabulary,
    maxTokens: stack.positions,
    layers: stack.layers,
    heads: stack.heads,
    keyValueHeads: stack.groups,
    headSize: stack.size,
    hiddenStates(parameters, inputs) {
      const { hidden, present } = stackGraph(stack, parameters, { ...inputs, prefix: "model." });
      return { hidden: divisor === 1 ? hidden : mul(hidden, 1 / divisor), present };
    },
    head: (parameters) =>
      parameters.get(tied ? "model.embed_tokens.weight" : "lm_head.weight", [stack.vocabulary, stack.hidden]),
  };
}
