import { DataError } from "@rag-ft/core";
import { input, linear, type Value } from "@rag-ft/onnx";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** A linear layer of a graph: `output` [rows, out] = `x` [rows, in] · weightᵀ + bias. */
export interface LinearLayer {
  /** Hugging Face's name of the module: its weight is `<name>.weight`, [out, in]. */
  name: string;
  x: Value;
  output: Value;
}

/**
 * The weights that an architecture asks for while its graph is built: each name becomes one graph input, so that one compiled
 * graph serves every step of training; an exported model bakes the data in instead.
 */
export class Parameters {
  private readonly values: Map<string, Value>;
  private readonly layers: LinearLayer[];
  private readonly prefix: string;

  /** @param whole What these are a part of, whose names begin with `prefix`. */
  constructor(whole?: Parameters, prefix = "") {
    this.values = whole?.values ?? new Map();
    this.layers = whole?.layers ?? [];
    this.prefix = (whole?.prefix ?? "") + prefix;
  }

  /** The same weights, for a part of the graph whose names all begin so. */
  under(prefix: string): Parameters {
    return new Parameters(this, prefix);
  }

  /** The weight of this name (Hugging Face's) and shape. */
  get(name: string, shape: readonly number[]): Value {
    const whole = this.prefix + name;
    let value = this.values.get(whole);
    if (!value) {
      value = input(whole, "float32", shape);
      this.values.set(whole, value);
    }
    return value;
  }

  /**
   * A linear layer of a block, x [rows, inputs] to [rows, outputs], with the weights `<name>.weight` and, unless told otherwise,
   * `<name>.bias`. Layers made here are those that adapters can be put on.
   */
  linear(x: Value, name: string, inputs: number, outputs: number, { bias = true } = {}): Value {
    const weight = this.get(`${name}.weight`, [outputs, inputs]);
    const output = linear(x, weight, bias ? this.get(`${name}.bias`, [outputs]) : undefined);
    this.layers.push({ name: this.prefix + name, x, output });
    return output;
  }

  /** The linear layers made, in order. */
  linearLayers(): readonly LinearLayer[] {
    return this.layers;
  }

  /** All that was asked for, in order. */
  entries(): [name: string, value: Value][] {
    return [...this.values];
  }
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
export function matchWeights(
  parameters: Parameters,
  weights: ReadonlyMap<string, WeightTensor>,
  folder: string,
  prefixes: readonly string[] = [],
): Map<string, WeightTensor> {
  const matched = new Map<string, WeightTensor>();
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
