import { createRandom, deriveSeed, InternalError } from "@rag-ft/core";
import { floatTensor, input, type Shape, sizesOf, type Tensor, type Value } from "@rag-ft/onnx";
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

/**
 * Dropout (Srivastava et al. 2014) of elements at a rate from 0 to 1, scaled so that the mean stays.
 *
 * A step's random numbers are drawn once, in a row of some millions. Every mask is a window of that row that begins at a random place: no two
 * elements of a mask share a number, and those of two masks do so by chance only. Drawing each mask would cost more than the layers it is for.
 */
export class WindowedDropout implements Dropout {
  private readonly shapes: Shape[] = [];
  private row: Float32Array = new Float32Array(0);
  private drawn = 0;
  private next: () => number = () => 0;
  private seed: number | undefined;
  /** The batches of a step, numbered as they are first seen. */
  private numbers = new Map<TokenBatch, number>();

  constructor(private readonly rate: number) {}

  mask(shape: Shape): Value {
    this.shapes.push(shape);
    return input(siteName(this.shapes.length - 1), "float32", shape);
  }

  draw(seed: number): void {
    this.seed = seed;
    this.next = createRandom(seed).next;
    this.drawn = 0;
    this.numbers = new Map();
  }

  masksOf(batch: TokenBatch): Record<string, Tensor> {
    if (this.seed === undefined) throw new InternalError("the masks of dropout were not drawn");
    const number = this.numbers.get(batch) ?? this.numbers.size;
    this.numbers.set(batch, number);
    const starts = createRandom(deriveSeed(this.seed, number));
    return Object.fromEntries(
      this.shapes.map((shape, site) => {
        const sizes = sizesOf(shape, batch.dims);
        if (!sizes) throw new InternalError(`dropout of shape [${shape.join(", ")}]: a dimension is not known`);
        const start = starts.integer(STARTS);
        const end = start + elementCount(sizes);
        this.drawTo(end);
        return [siteName(site), floatTensor(this.row.subarray(start, end), sizes)];
      }),
    );
  }

  /** Makes the row at least so long. Numbers come in the same order however often it grows. */
  private drawTo(length: number): void {
    if (length > this.row.length) {
      const longer = new Float32Array(length);
      longer.set(this.row.subarray(0, this.drawn));
      this.row = longer;
    }
    const { row, next, rate } = this;
    const kept = 1 / (1 - rate);
    for (; this.drawn < length; this.drawn++) row[this.drawn] = next() < rate ? 0 : kept;
  }
}

const siteName = (site: number): string => `dropout ${site}`;
