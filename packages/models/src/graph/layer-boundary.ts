import { UserError } from "@rag-ft/core";
import { input, type Value } from "@rag-ft/onnx";
import type { DropoutSites } from "../encoder/dropout.js";

/** The graph input that takes the place of what the layers below the boundary compute, [rows = batch · tokens, hidden]. */
export const HIDDEN_INPUT = "hidden states below";

/**
 * Where a graph falls into frozen layers and those above. An architecture tells `Parameters` the state that enters each of its layers; at layer
 * `layers`, counted from 0, the graph goes on from an input instead. What was asked for until then, weights and linear layers, is frozen: also a
 * table that layers above read as well, such as tied embeddings, since what the frozen layers compute must stay what it is.
 */
export class LayerBoundary {
  /** What the frozen layers compute, [rows, hidden]. */
  below: Value | undefined;
  /** Names of the weights that are frozen. */
  weights: ReadonlySet<string> = new Set();
  /** Names of the linear layers that are frozen. */
  linear: ReadonlySet<string> = new Set();
  /** Layers that the architecture has told of. */
  seen = 0;

  constructor(readonly layers: number) {}

  /** Told of each layer in order: what enters it, and the names asked for before. Returns what the layer is to read. */
  enter(layer: number, x: Value, weights: Iterable<string>, linear: Iterable<string>): Value {
    this.seen = layer + 1;
    if (layer !== this.layers) return x;
    this.below = x;
    this.weights = new Set(weights);
    this.linear = new Set(linear);
    return input(HIDDEN_INPUT, x.dtype, x.shape);
  }

  /**
   * What the frozen layers compute, once a graph was built.
   *
   * @throws UserError when it has no layer above them.
   */
  requireBelow(folder: string): Value {
    if (this.below) return this.below;
    if (this.seen === 0)
      throw new UserError(
        `freeze_layers is ${this.layers}, but the architecture of ${folder} does not tell its layers apart (Parameters.enterLayer). Leave it out.`,
      );
    const advice = this.seen === 1 ? "Leave it out" : `Give at most ${this.seen - 1}`;
    throw new UserError(
      `freeze_layers is ${this.layers}, but ${folder} has ${this.seen} layers, of which at least the last is to be trained. ${advice}.`,
    );
  }

  /** Dropout above the boundary alone: the frozen layers' masks are asked for while the graph is built, and no part of it. */
  sitesAbove(dropout: DropoutSites): DropoutSites {
    return {
      mask: (shape) => (this.below ? dropout.mask(shape) : input("dropout below", "float32", shape)),
    };
  }
}
