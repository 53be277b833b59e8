import { UserError } from "@rag-ft/core";
import { intConstant } from "@rag-ft/onnx";
import type { EncoderGraph } from "../encoder/encoder-architecture.js";
import { layoutOf } from "./heads.js";
import { type Stack, stackGraph } from "./stack.js";

/** A transformer of Llama's form whose hidden states become vectors of texts. */
export function stackEncoder(stack: Stack, { bothDirections }: { bothDirections: boolean }): EncoderGraph {
  return {
    dimensions: stack.hidden,
    maxTokens: stack.positions,
    hiddenStates(parameters, { ids, mask, dropout }) {
      if (dropout) throw new UserError("dropout: models of this architecture are made without it. Set it to 0.");
      // Causal attention keeps the padding, which is on the right, out by itself.
      const direction = bothDirections ? { mask } : {};
      const inputs = { ids, positions: intConstant([0]), prefix: "", ...direction };
      return layoutOf(ids).batched(stackGraph(stack, parameters, inputs).hidden, stack.hidden);
    },
  };
}
