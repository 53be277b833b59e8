import { floatTensor, type Tensor } from "@rag-ft/onnx";
import type { DecoderGraph } from "../decoder/decoder-architecture.js";
import { cachedHeadSize } from "../parts/stack-attention.js";
import { cacheNames, written } from "./generation-graph.js";

/** Bytes that keys and values of one token take, in all layers. */
export function cacheBytesPerToken({ layers, keyValueHeads, headSize }: DecoderGraph): number {
  return layers * 2 * keyValueHeads * cachedHeadSize(headSize) * Float32Array.BYTES_PER_ELEMENT;
}

/** Room for texts grows in steps of so many tokens. */
const STEP = 64;

/** Tokens that two texts have in common at their beginning. */
export function commonStart(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i++;
  return i;
}

/**
 * Keys and values of texts, each in a slot of `capacity` tokens: for each layer one array of keys and one of values, [slots, heads, capacity, size]. Slots
 * beside each other are thus one tensor without a copy. An operating system gives memory to what was written only, so that capacity that no text
 * needs takes none.
 */
export class TextCache {
  readonly #heads: number;
  readonly #size: number;
  readonly #arrays: Map<string, Float32Array>;
  /** Tokens whose keys and values stand in each slot. */
  #tokens: number[][] = [];
  #slots = 0;
  #capacity = 0;

  constructor(graph: DecoderGraph) {
    this.#heads = graph.keyValueHeads;
    this.#size = cachedHeadSize(graph.headSize);
    const names = Array.from({ length: graph.layers }, (_, layer) => cacheNames(layer)).flat();
    this.#arrays = new Map(names.map((name) => [name, new Float32Array(0)]));
  }

  /** Most tokens of a text. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Tokens of a slot; what is pushed there must have been written to the cache. */
  tokens(slot: number): number[] {
    const found = this.#tokens[slot];
    if (found) return found;
    const made: number[] = [];
    this.#tokens[slot] = made;
    return made;
  }

  /** Makes room for so many slots of so many tokens; what was cached stays. */
  reserve(slots: number, capacity: number): void {
    if (slots <= this.#slots && capacity <= this.#capacity) return;
    const [newSlots, newCapacity] = [
      Math.max(slots, this.#slots),
      Math.max(Math.ceil(capacity / STEP) * STEP, this.#capacity),
    ];
    for (const [name, array] of this.#arrays) {
      const larger = new Float32Array(newSlots * this.#heads * newCapacity * this.#size);
      this.#tokens.forEach((tokens, slot) => {
        for (let head = 0; head < this.#heads; head++) {
          const row = slot * this.#heads + head;
          const from = row * this.#capacity * this.#size;
          larger.set(array.subarray(from, from + tokens.length * this.#size), row * newCapacity * this.#size);
        }
      });
      this.#arrays.set(name, larger);
    }
    [this.#slots, this.#capacity] = [newSlots, newCapacity];
  }

  /** Gives a slot the first `count` tokens of another. */
  copy(from: number, to: number, count: number): void {
    if (from !== to) {
      const stride = this.#capacity * this.#size;
      for (const array of this.#arrays.values()) {
        for (let head = 0; head < this.#heads; head++) {
          const start = (from * this.#heads + head) * stride;
          array.copyWithin((to * this.#heads + head) * stride, start, start + count * this.#size);
        }
      }
    }
    this.#tokens[to] = this.tokens(from).slice(0, count);
  }

  /** The slot whose text begins most like this one, and how many tokens are the same. */
  closest(text: readonly number[]): { slot: number; shared: number } {
    let best = { slot: 0, shared: 0 };
    this.#tokens.forEach((tokens, slot) => {
      const shared = commonStart(tokens, text);
      if (shared > best.shared) best = { slot, shared };
    });
    return best;
  }

  /** Slots from `first` on as the graph's inputs, and the same memory as its outputs. */
  tensors(first: number, count: number): { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> } {
    const stride = this.#heads * this.#capacity * this.#size;
    const inputs: Record<string, Tensor> = {};
    const outputs: Record<string, Tensor> = {};
    for (const [name, array] of this.#arrays) {
      const part = array.subarray(first * stride, (first + count) * stride);
      const tensor = floatTensor(part, [count, this.#heads, this.#capacity, this.#size]);
      inputs[name] = tensor;
      outputs[written(name)] = tensor;
    }
    return { inputs, outputs };
  }

  /** Gives its memory back. */
  clear(): void {
    for (const name of this.#arrays.keys()) this.#arrays.set(name, new Float32Array(0));
    this.#tokens = [];
    this.#slots = 0;
    this.#capacity = 0;
  }

  /** Bytes reserved; what was written of them is in memory. */
  get bytes(): number {
    let sum = 0;
    for (const array of this.#arrays.values()) sum += array.byteLength;
    return sum;
  }
}
