import type { RunTensor, SessionSettings, Tensor } from "@rag-ft/onnx";
import { LayerBoundary } from "../graph/layer-boundary.js";
import { type FreezeSettings, FrozenLayers, type RowBatch } from "./frozen-layers.js";
import type { ModelInFolder } from "./frozen-part.js";
import type { Purpose } from "./kept-states.js";

/** Of a trainable model's settings: which of its layers are frozen. */
export interface Freezable {
  /** Default: none is frozen. */
  freeze?: FreezeSettings | undefined;
}

/** A boundary for a graph that is about to be built, where some layers are frozen. */
export function boundaryOf({ freeze }: Freezable): LayerBoundary | undefined {
  return freeze && freeze.layers > 0 ? new LayerBoundary(freeze.layers) : undefined;
}

/** The inputs of a batch in the graph above the frozen layers, or in that of the whole model. */
export type BatchInputs = (batch: RowBatch, purpose: Purpose) => Promise<Readonly<Record<string, Tensor>>>;

/** The frozen layers of a graph that was built with `boundary`, and how batches go into the graph above them. */
export function openFrozen(
  boundary: LayerBoundary | undefined,
  model: ModelInFolder,
  inputs: Readonly<Record<string, RunTensor>>,
  { freeze }: Freezable,
  session: SessionSettings,
): { frozen: FrozenLayers | undefined; inputsOf: BatchInputs } {
  if (!boundary || !freeze) return { frozen: undefined, inputsOf: async (batch) => batch.inputs };
  const frozen = new FrozenLayers(boundary, model, inputs, freeze, session);
  const inputsOf: BatchInputs = async (batch, purpose) => ({
    ...batch.inputs,
    ...(await frozen.inputsOf(batch, purpose)),
  });
  return { frozen, inputsOf };
}
