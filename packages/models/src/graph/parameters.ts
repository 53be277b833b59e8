import { DataError } from "@rag-ft/core";
import { add, CPU, gather, input, linear, matmul, type Value, widen } from "@rag-ft/onnx";
import { type HalfType, HalfWeight } from "../weights/half-weight.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { LayerBoundary } from "./layer-boundary.js";

/** A linear layer of a graph: `output` [rows, out] = `x` [rows, in] · weightᵀ + bias. */
export interface LinearLayer {
  /** Hugging Face's name of the module: its weight is `<name>.weight`, [out, in]. */
  name: string;
  x: Value;
  output: Value;
}

/** An adapter that is computed beside its layer: y = x Wᵀ + scale (x Aᵀ) Bᵀ. */
export interface LayerAdapter {
  a: Value;
  b: Value;
  scale: number;
}

/** What a graph is written for, where it is not for the CPU and for plain weights in single precision. */
export interface GraphForm {
  /** Weights in the forms that they are read in: those that are `HalfWeight` are widened in the graph. */
  weights?: ReadonlyMap<string, WeightTensor>;
  adapterOf?(layer: string): LayerAdapter | undefined;
  /** Blocks that causal attention over whole texts is cut in; by default as `causalBlocks` does. */
  causalBlocks?: number;
  /** Where the graph begins with what the frozen layers have computed. */
  boundary?: LayerBoundary | undefined;
}

/** The form of graphs for a device. */
export function graphFormFor(device: string = CPU): GraphForm {
  // Blocks save half of a processor's work. Other devices wait for each kernel that is started, and WebGPU's of ONNX Runtime 1.30 divide by the
  // number of elements: an empty block, as short texts have, ends the process (SIGFPE).
  return device === CPU ? {} : { causalBlocks: 1 };
}

const INPUT_TYPE: Readonly<Record<HalfType, "float16" | "uint16">> = { F16: "float16", BF16: "uint16" };

/**
 * The weights that an architecture asks for while its graph is built: each name becomes one graph input, so that one compiled
 * graph serves every step of training; an exported model bakes the data in instead.
 */
export class Parameters {
  private readonly values: Map<string, Value>;
  private readonly layers: LinearLayer[];

  /**
   * @param whole What these are a part of.
   * @param prefix What the names of all of them begin with.
   */
  constructor(
    readonly form: GraphForm = {},
    whole?: Parameters,
    private readonly prefix = "",
  ) {
    this.values = whole?.values ?? new Map();
    this.layers = whole?.layers ?? [];
  }

  /** The same weights, for a part of the graph whose names all begin so. */
  under(prefix: string): Parameters {
    return new Parameters(this.form, this, this.prefix + prefix);
  }

  /** The weight of this name (Hugging Face's) and shape. */
  get(name: string, shape: readonly number[]): Value {
    const whole = this.prefix + name;
    let value = this.values.get(whole);
    if (!value) {
      const stored = this.stored(whole, shape);
      value = stored.dtype === "float32" ? stored : widen(stored);
      this.values.set(whole, value);
    }
    return value;
  }

  /** Rows of the table of this name and shape by `indices`. Of one in 16 bits, only these rows are widened. */
  rows(name: string, shape: readonly number[], indices: Value): Value {
    const table = this.get(name, shape);
    const stored = this.stored(this.prefix + name, shape);
    return stored.dtype === "float32" ? gather(table, indices) : widen(gather(stored, indices));
  }

  private stored(whole: string, shape: readonly number[]): Value {
    const weight = this.form.weights?.get(whole);
    return input(whole, weight instanceof HalfWeight ? INPUT_TYPE[weight.type] : "float32", shape);
  }

  /**
   * A linear layer of a block, x [rows, inputs] to [rows, outputs], with the weights `<name>.weight` and, unless told otherwise,
   * `<name>.bias`. Layers made here are those that adapters can be put on.
   */
  linear(x: Value, name: string, inputs: number, outputs: number, { bias = true } = {}): Value {
    const weight = this.get(`${name}.weight`, [outputs, inputs]);
    const plain = linear(x, weight, bias ? this.get(`${name}.bias`, [outputs]) : undefined);
    const adapter = this.form.adapterOf?.(this.prefix + name);
    const output = adapter ? add(plain, adapted(x, adapter)) : plain;
    this.layers.push({ name: this.prefix + name, x, output });
    return output;
  }

  /**
   * What layer `layer` of the model, from 0, reads: an architecture gives the state that enters it, [rows = batch · tokens, hidden], before it asks for
   * the layer's weights, so that layers below can be frozen.
   */
  enterLayer(layer: number, x: Value): Value {
    const linear = this.layers.map(({ name }) => name);
    return this.form.boundary?.enter(layer, x, this.values.keys(), linear) ?? x;
  }

  /** The linear layers made, in order. */
  linearLayers(): readonly LinearLayer[] {
    return this.layers;
  }

  /** All that was asked for, in order. */
  entries(): [name: string, value: Value][] {
    return [...this.values];
  }

  /** The same without what is frozen. */
  trainable(): [name: string, value: Value][] {
    const frozen = this.form.boundary?.weights;
    return this.entries().filter(([name]) => !frozen?.has(name));
  }
}

function adapted(x: Value, { a, b, scale }: LayerAdapter): Value {
  return matmul(matmul(x, a, { transB: true }), b, { transB: true, alpha: scale });
}

/** The name that a LayerNorm's weight has in files converted from TensorFlow, such as bert-base-uncased: gamma and beta. */
function olderName(name: string): string {
  return name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");
}

/** Names of weights within a layer: all of these take part in a model's answer, while a head beside the layers need not. */
const WITHIN_LAYER = /\.layers?\.\d+\..*\b(weight|bias|gamma|beta)$/;

/**
 * Picks from a folder's weights those that the graph asks for.
 *
 * @param prefixes Left off the names found, such as `bert.` in checkpoints of a model with a head.
 * @throws DataError naming the first weight that is missing or has another shape, or that a layer has beyond what the graph reads: such a
 * model is of a variant that the graph would compute wrongly.
 */
export function matchWeights<Weight extends { readonly shape: readonly number[] }>(
  parameters: Parameters,
  weights: ReadonlyMap<string, Weight>,
  folder: string,
  prefixes: readonly string[] = [],
): Map<string, Weight> {
  const matched = new Map<string, Weight>();
  const unread = new Set([...weights.keys()].filter((name) => WITHIN_LAYER.test(name)));
  for (const [name, { shape }] of parameters.entries()) {
    const found = [name, ...prefixes.map((prefix) => prefix + name)]
      .flatMap((candidate) => [candidate, olderName(candidate)])
      .find((candidate) => weights.has(candidate));
    const weight = found === undefined ? undefined : weights.get(found);
    if (!weight) {
      throw new DataError(
        `${folder}: the weight ${name} is missing among the ${weights.size} of its safetensors. Is config.json of the same model?`,
      );
    }
    if (weight.shape.join() !== shape.join()) {
      throw new DataError(
        `${folder}: the weight ${name} has shape [${weight.shape.join(", ")}], but config.json asks for [${shape.join(", ")}].`,
      );
    }
    matched.set(name, weight);
    unread.delete(found ?? name);
  }
  const [first] = unread;
  if (first !== undefined) {
    throw new DataError(
      `${folder}: ${unread.size} weights of its layers, such as ${first}, have no place in a model of its config.json. It is of a variant that is ` +
        "not supported, or config.json is another model's.",
    );
  }
  return matched;
}
