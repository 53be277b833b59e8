import { floatTensor, requireSizes, type Tensor, type Value } from "@rag-ft/onnx";
import { elementCount } from "../weights/weight-tensor.js";
import { ActivationMemory } from "./activation-memory.js";
import type { TokenBatch } from "./token-batch.js";

/** What forward passes computed and backward passes will read, by batch, in bounded memory. */
export class KeptActivations {
  private readonly memory: ActivationMemory;
  private readonly batches = new Map<TokenBatch, Record<string, Tensor>>();

  constructor(
    private readonly values: Readonly<Record<string, Value>>,
    bytes: number,
  ) {
    this.memory = new ActivationMemory(bytes);
  }

  /** Tensors for a batch's activations to be written to, by name; undefined when there is no room for all of them. */
  room({ dims }: TokenBatch): Record<string, Tensor> | undefined {
    const tensors: Record<string, Tensor> = {};
    const floats: { name: string; shape: number[] }[] = [];
    for (const [name, { dtype, shape }] of Object.entries(this.values)) {
      const sizes = requireSizes("an activation", shape, dims);
      if (dtype === "float32") floats.push({ name, shape: sizes });
      // A few whole numbers, shapes mostly.
      else tensors[name] = { dtype, shape: sizes, data: new BigInt64Array(elementCount(sizes)) };
    }
    const arrays = this.memory.take(floats.map(({ shape }) => elementCount(shape)));
    if (!arrays) return undefined;
    floats.forEach(({ name, shape }, i) => {
      tensors[name] = floatTensor(arrays[i] as Float32Array, shape);
    });
    return tensors;
  }

  /** Remembers a batch's activations, which a run wrote to its `room`. */
  keep(batch: TokenBatch, results: Readonly<Record<string, Tensor>>): void {
    this.batches.set(
      batch,
      Object.fromEntries(Object.keys(this.values).map((name) => [name, results[name] as Tensor])),
    );
  }

  /** A batch's activations, if they were kept. They stay what they are until all are forgotten. */
  of(batch: TokenBatch): Record<string, Tensor> | undefined {
    return this.batches.get(batch);
  }

  forget(): void {
    this.batches.clear();
    this.memory.clear();
  }
}
