import { createRandom, InternalError } from "@rag-ft/core";
import {
  apply,
  createSession,
  input,
  memoryFor,
  type RunTensor,
  type Session,
  type SessionSettings,
  type TensorMemory,
  type Value,
} from "@rag-ft/onnx";
import { adapterGradients, backward, type GraphAdapter, initialAdapter, type LoraSettings } from "@rag-ft/train";
import type { FrozenPart } from "../frozen/frozen-part.js";
import type { NamedGradients } from "../graph/gradient-session.js";
import { type GraphForm, type LayerAdapter, type LinearLayer, Parameters } from "../graph/parameters.js";
import { HalfWeight } from "../weights/half-weight.js";
import { elementCount, type WeightTensor } from "../weights/weight-tensor.js";
import { chooseLayers, layersAbove, targetsOf } from "./choose-layers.js";

const aName = (layer: string): string => `base_model.model.${layer}.lora_A.weight`;
const mergedName = (layer: string): string => `merged ${layer}`;
const bName = (layer: string): string => `base_model.model.${layer}.lora_B.weight`;

function find(weights: ReadonlyMap<string, WeightTensor>, name: string): WeightTensor {
  const weight = weights.get(name);
  if (!weight) throw new InternalError(`LoRA: no weight ${name}`);
  return weight;
}

/** Where adapters are put, and what is trained beside them. */
export interface AdapterPlaces {
  /** Names of weights of the model that are trained as they are, outside the adapted layers. */
  whole?: readonly string[];
  /** What of the model gets no adapters. */
  frozen?: FrozenPart | undefined;
}

/** W + s B A of a layer in 16 bits, in single precision: made when it is read, so that one layer at a time is in memory. */
class MergedWeight implements WeightTensor {
  constructor(
    private readonly base: WeightTensor,
    private readonly a: WeightTensor,
    private readonly b: WeightTensor,
    private readonly scale: number,
  ) {}

  get shape(): number[] {
    return this.base.shape;
  }

  get data(): Float32Array {
    const merged = this.base.data;
    const [outputs, inputs] = this.shape as [number, number];
    const rank = this.a.shape[0] as number;
    for (let o = 0; o < outputs; o++) {
      const row = merged.subarray(o * inputs, (o + 1) * inputs);
      for (let r = 0; r < rank; r++) {
        const factor = this.scale * (this.b.data[o * rank + r] as number);
        if (factor === 0) continue;
        const from = this.a.data.subarray(r * inputs, (r + 1) * inputs);
        for (let i = 0; i < inputs; i++) row[i] = (row[i] as number) + factor * (from[i] as number);
      }
    }
    return merged;
  }
}

/**
 * Low-rank adapters on linear layers of a model in memory (Hu et al. 2021): W + s B A in place of W, s = alpha / r.
 *
 * The model's own arrays hold the merged weights, and the base's are kept aside. The graphs that run are then those of the plain model:
 *
 * 1. `merge` computes W + s B A from the base into the model's arrays, each time the optimizer has changed A and B.
 * 2. `gradients` takes the gradient of each adapted layer's output, and from it those of A and B alone. Nothing is made for frozen weights,
 *    nor below the first adapted layer.
 *
 * Merging once a step costs less than the adapters' own products and sums would in every run.
 *
 * On a base in 16 bits (`HalfWeight`) there is nothing to merge into: the graphs widen the weights as they need them and compute the adapters
 * beside their layers (`parameters`); what is saved is merged layer by layer (`merged`).
 */
export class LoraAdapters {
  /** A [r, in] and B [out, r] of each layer, by PEFT's names: what is trained. */
  readonly weights: ReadonlyMap<string, WeightTensor>;
  /** Names of the adapted layers. */
  readonly layers: readonly string[];
  /** What PEFT's config names them by. */
  readonly targets: readonly string[];
  /** Weights of the model that are trained whole beside the adapters, such as those of a head that was just made. */
  readonly whole: ReadonlyMap<string, WeightTensor>;
  /** The whole weights as they were before training. */
  private readonly wholeBase: ReadonlyMap<string, Float32Array>;
  private readonly base: ReadonlyMap<string, WeightTensor>;
  private readonly scale: number;
  /** Whether the base is in 16 bits, and the adapters are computed in the graph. */
  readonly isInGraph: boolean;
  /** Where the adapters and the model's weights stand between runs. */
  readonly memory: TensorMemory;
  private merger: Promise<Session> | undefined;

  /**
   * @param layers All linear layers of the model.
   * @param model Its weights; those of adapted layers are changed by `merge`.
   * @throws UserError when `settings` name no layer, or only frozen ones.
   */
  constructor(
    layers: readonly LinearLayer[],
    private readonly model: ReadonlyMap<string, WeightTensor>,
    readonly settings: LoraSettings,
    private readonly session: SessionSettings = {},
    { whole = [], frozen }: AdapterPlaces = {},
  ) {
    this.memory = memoryFor(session.device);
    this.whole = new Map(whole.map((name) => [name, find(model, name)]));
    this.wholeBase = new Map([...this.whole].map(([name, { data }]) => [name, Float32Array.from(data)]));
    const names = layers.map(({ name }) => name);
    this.layers = layersAbove(chooseLayers(names, settings.targets), frozen);
    this.targets = targetsOf(this.layers, names);
    this.scale = settings.alpha / settings.r;
    const random = createRandom(settings.seed);
    const weights = new Map<string, WeightTensor>();
    const base = new Map<string, WeightTensor>();
    this.isInGraph = this.layers.some((layer) => find(model, `${layer}.weight`) instanceof HalfWeight);
    for (const layer of this.layers) {
      const weight = find(model, `${layer}.weight`);
      const { shape } = weight;
      const [outputs, inputs] = shape as [number, number];
      const { a, b } = initialAdapter(settings.r, inputs, outputs, random);
      weights.set(aName(layer), { shape: [settings.r, inputs], data: a });
      weights.set(bName(layer), { shape: [outputs, settings.r], data: b });
      if (!this.isInGraph) base.set(layer, { shape, data: weight.data.slice() });
    }
    this.weights = weights;
    this.base = base;
  }

  /** All that is trained: A and B of each layer, and the whole weights. */
  get trained(): ReadonlyMap<string, WeightTensor> {
    return new Map([...this.weights, ...this.whole]);
  }

  /** For a log: what is trained. */
  describe(): string {
    const count = (weights: ReadonlyMap<string, WeightTensor>): number =>
      [...weights.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const millions = (n: number): string => (n / 1e6).toPrecision(3);
    const { r, alpha } = this.settings;
    return `LoRA of rank ${r}, alpha ${alpha}, on ${this.layers.length} linear layers${this.whole.size > 0 ? `, and ${[...this.whole.keys()].join(", ")} whole` : ""}: ${millions(count(this.trained))} M parameters are trained, ${millions(count(this.model) - count(this.whole))} M are frozen`;
  }

  /** For a graph of the model, or of its layers above a boundary: with the adapters in it where they are not merged. */
  parameters(form: GraphForm = {}): Parameters {
    if (!this.isInGraph) return new Parameters(form);
    const adapted = new Set(this.layers);
    const adapterOf = (layer: string): LayerAdapter | undefined => {
      if (!adapted.has(layer)) return undefined;
      const [a, b] = this.inputs(layer);
      return { a, b, scale: this.scale };
    };
    return new Parameters({ ...form, weights: this.model, adapterOf });
  }

  /** The model's weights as they are with the adapters. */
  merged(): ReadonlyMap<string, WeightTensor> {
    if (!this.isInGraph) return this.model;
    const merged = new Map(this.model);
    for (const layer of this.layers) {
      const name = `${layer}.weight`;
      const [a, b] = [find(this.weights, aName(layer)), find(this.weights, bName(layer))];
      merged.set(name, new MergedWeight(find(this.model, name), a, b, this.scale));
    }
    return merged;
  }

  /** Gradients of all that is trained. */
  adapterGradients(seeds: readonly (readonly [Value, Value])[], parameters: Parameters): NamedGradients {
    const adapted = new Set(this.layers);
    const layers = parameters.linearLayers().filter(({ name }) => adapted.has(name));
    const whole = parameters.entries().filter(([name]) => this.whole.has(name));
    const gradients = backward(seeds, [...layers.map(({ output }) => output), ...whole.map(([, value]) => value)]);
    const byInput = new Map<Value, { name: string; adapter: GraphAdapter }[]>();
    layers.forEach(({ name, x }, i) => {
      const [a, b] = this.inputs(name);
      const adapter = { a, b, gradient: gradients[i] as Value };
      byInput.set(x, [...(byInput.get(x) ?? []), { name, adapter }]);
    });
    const ofWhole = whole.map(([name], i) => [name, gradients[layers.length + i] as Value] as const);
    const ofAdapters = [...byInput].flatMap(([x, group]) => {
      const adapters = group.map(({ adapter }) => adapter);
      return adapterGradients(x, adapters, this.scale).flatMap(({ a, b }, i) => {
        const { name } = group[i] as (typeof group)[number];
        return [[aName(name), a] as const, [bName(name), b] as const];
      });
    });
    return [...ofAdapters, ...ofWhole];
  }

  /** Computes the model's weights from the base's and the adapters. */
  async merge(): Promise<void> {
    if (this.isInGraph) return;
    this.merger ??= this.openMerger();
    const session = await this.merger;
    const { memory } = this;
    const inputs: Record<string, RunTensor> = {};
    const outputs: Record<string, RunTensor> = {};
    for (const [name, { data, shape }] of this.weights) inputs[name] = memory.of(data, shape);
    for (const [layer, { data, shape }] of this.base) {
      inputs[layer] = memory.of(data, shape);
      outputs[mergedName(layer)] = memory.of(find(this.model, `${layer}.weight`).data, shape);
    }
    await session.run(inputs, outputs);
  }

  /** What a trained weight is where training has changed nothing: a B is 0, a whole one as it was, an A as it is now, as it then counts nothing. */
  untrained(name: string, data: Float32Array): Float32Array {
    if (name.endsWith(".lora_B.weight")) return data.map(() => 0);
    return this.wholeBase.get(name) ?? data;
  }

  /** Makes the adapters count nothing and the model's weights the base's again. */
  reset(): void {
    for (const layer of this.layers) find(this.weights, bName(layer)).data.fill(0);
    for (const [name, data] of this.wholeBase) find(this.model, name).data.set(data);
    for (const [layer, { data }] of this.base) {
      find(this.model, `${layer}.weight`).data.set(data);
    }
    const merged = [...this.base.keys()].map((layer) => find(this.model, `${layer}.weight`));
    this.memory.wrote([...this.trained.values(), ...merged].map(({ data }) => data));
  }

  async close(): Promise<void> {
    await (await this.merger)?.close();
    this.merger = undefined;
    await this.memory.close();
  }

  /** A and B as graph inputs. */
  private inputs(layer: string): [a: Value, b: Value] {
    const [a, b] = [aName(layer), bName(layer)].map((name) => input(name, "float32", find(this.weights, name).shape));
    return [a as Value, b as Value];
  }

  private openMerger(): Promise<Session> {
    const outputs: Record<string, Value> = {};
    for (const [layer, { shape }] of this.base) {
      const [a, b] = this.inputs(layer);
      const type = { dtype: "float32", shape } as const;
      // alpha · B A + W, in one pass over W.
      outputs[mergedName(layer)] = apply("Gemm", [b, a, input(layer, "float32", shape)], type, {
        alpha: { float: this.scale },
      });
    }
    // Rounded to bf16, a weight would lose what the adapter adds to it.
    return createSession({ outputs }, { ...this.session, precision: "fp32", staying: Object.keys(outputs) });
  }
}
