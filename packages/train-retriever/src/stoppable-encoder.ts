import { throwIfCancelled } from "@rag-ft/core";
import type { TrainableEncoder } from "@rag-ft/models";

/** The encoder, which stops between two chunks when asked to: a step of a large batch takes minutes. */
export function stoppableEncoder(model: TrainableEncoder, signal: AbortSignal): TrainableEncoder {
  return {
    ...model,
    async forward(batch) {
      throwIfCancelled(signal);
      return model.forward(batch);
    },
    async forwardKeeping(batch) {
      throwIfCancelled(signal);
      return model.forwardKeeping(batch);
    },
    async backward(batch, vectorGradients) {
      throwIfCancelled(signal);
      return model.backward(batch, vectorGradients);
    },
  };
}
