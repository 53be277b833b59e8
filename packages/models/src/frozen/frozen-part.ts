import type { LayerBoundary } from "../graph/layer-boundary.js";
import { elementCount, type WeightTensor } from "../weights/weight-tensor.js";

/** What of a model is held fixed in training. */
export interface FrozenPart {
  /** The first layers, besides the embeddings. */
  layers: number;
  /** Layers of the model. */
  of: number;
  /** Names of the frozen weights. */
  weights: ReadonlySet<string>;
  /** Names of the frozen linear layers. */
  linear: ReadonlySet<string>;
  /** Numbers in the frozen weights, and in all. */
  parameters: { frozen: number; all: number };
}

/** A model whose layers can be frozen. */
export interface ModelInFolder {
  folder: string;
  weights: ReadonlyMap<string, WeightTensor>;
}

/** For people: `the embeddings and the first 6 of 12 layers`. */
export function describeFrozen({ layers, of }: Pick<FrozenPart, "layers" | "of">): string {
  return `the embeddings and the first ${layers === 1 ? "layer" : layers} of ${of} layers`;
}

/** What a boundary has frozen, once a graph was built. @throws UserError as `LayerBoundary.requireBelow` */
export function frozenPartOf(boundary: LayerBoundary, { folder, weights }: ModelInFolder): FrozenPart {
  boundary.requireBelow(folder);
  const sizes = [...weights].map(([name, { shape }]) => ({ name, size: elementCount(shape) }));
  const sum = (some: typeof sizes): number => some.reduce((total, { size }) => total + size, 0);
  return {
    layers: boundary.layers,
    of: boundary.seen,
    weights: boundary.weights,
    linear: boundary.linear,
    parameters: { frozen: sum(sizes.filter(({ name }) => boundary.weights.has(name))), all: sum(sizes) },
  };
}
