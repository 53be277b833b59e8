import { createRandom, deriveSeed, InternalError, type Random } from "@rag-ft/core";
import { floatTensor, input, requireSizes, type Shape, type Tensor, type Value } from "@rag-ft/onnx";
import { elementCount } from "../weights/weight-tensor.js";
import type { TokenBatch } from "./token-batch.js";

/** What an architecture's graph asks of dropout. */
export interface DropoutSites {
  /** What a value of this shape is to be multiplied by: a new graph input, 0 where an element is dropped, 1 / (1 - rate) elsewhere. */
  mask(shape: Shape): Value;
}

/** Dropout of a graph in training: the places where it asks for masks, and the masks of its runs. */
export interface Dropout extends DropoutSites {
  /** Draws all masks anew, as `seed` decides: those of a step. */
  draw(seed: number): void;
  /** A batch's masks as inputs of the graph: the same until the next draw, so that a forward pass can be made again. */
  masksOf(batch: TokenBatch): Record<string, Tensor>;
}

/** How many elements apart the first and the last window may begin. */
const STARTS = 2 ** 22;

/** What a draw begins. */
interface DrawnStep {
  seed: number;
  random: Random;
  /** Length of the row so far. */
  drawn: number;
  /** The step's batches, numbered as they are first seen. */
  numbers: Map<TokenBatch, number>;
}

/**
 * Dropout (Srivastava et al. 2014) of elements at a rate from 0 to 1, scaled so that the mean stays.
 *
 * A step's random numbers are drawn once, in a row of some millions. Every mask is a window of that row that begins at a random place: no two
 * elements of a mask share a number, and those of two masks do so by chance only. Drawing each mask would cost more than the layers it is for.
 */
export class WindowedDropout implements Dropout {
  private readonly shapes: Shape[] = [];
  /** The row's memory, for every step. */
  private row: Float32Array = new Float32Array(0);
  private step: DrawnStep | undefined;

  constructor(private readonly rate: number) {}

  mask(shape: Shape): Value {
    this.shapes.push(shape);
    return input(siteName(this.shapes.length - 1), "float32", shape);
  }

  draw(seed: number): void {
    this.step = { seed, random: createRandom(seed), drawn: 0, numbers: new Map() };
  }

  masksOf(batch: TokenBatch): Record<string, Tensor> {
    const { step } = this;
    if (!step) throw new InternalError("the masks of dropout were not drawn");
    const number = step.numbers.get(batch) ?? step.numbers.size;
    step.numbers.set(batch, number);
    const starts = createRandom(deriveSeed(step.seed, number));
    return Object.fromEntries(
      this.shapes.map((shape, site) => {
        const sizes = requireSizes("dropout", shape, batch.dims);
        const start = starts.integer(STARTS);
        const end = start + elementCount(sizes);
        this.drawTo(end, step);
        return [siteName(site), floatTensor(this.row.subarray(start, end), sizes)];
      }),
    );
  }

  /** Makes the row at least so long. Numbers come in the same order however often it grows. */
  private drawTo(length: number, step: DrawnStep): void {
    if (length > this.row.length) {
      const longer = new Float32Array(length);
      longer.set(this.row.subarray(0, step.drawn));
      this.row = longer;
    }
    const { row, rate } = this;
    const kept = 1 / (1 - rate);
    for (; step.drawn < length; step.drawn++) row[step.drawn] = step.random.next() < rate ? 0 : kept;
  }
}

const siteName = (site: number): string => `dropout ${site}`;
