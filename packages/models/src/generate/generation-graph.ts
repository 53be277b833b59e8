import { input, linear, type Value } from "@rag-ft/onnx";
import type { DecoderGraph } from "../decoder/decoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import { cachedHeadSize } from "../parts/stack-attention.js";

/** Names of a layer's keys and values in the graph; those of its outputs begin with `new`. */
export const cacheNames = (layer: number): readonly [key: string, value: string] => [`key.${layer}`, `value.${layer}`];
export const written = (name: string): string => `new ${name}`;

/**
 * A decoder that goes on with texts, over a cache that is written in place (`inPlaceAttention`). Inputs: `ids` and `positions`
 * [batch, tokens], `last` [batch] and `longest` [1] of the cache, `rows` [kept] (batch index · tokens + position), and the keys and
 * values of each layer [batch, key/value heads, capacity, size]. Outputs: `logits` [kept, vocabulary] of the token after each of these
 * rows, and the cache.
 */
export function generationGraph(graph: DecoderGraph, parameters: Parameters): Record<string, Value> {
  const ids = input("ids", "int64", ["batch", "tokens"]);
  const positions = input("positions", "int64", ["batch", "tokens"]);
  const shape = ["batch", graph.keyValueHeads, "capacity", cachedHeadSize(graph.headSize)];
  const stored = Array.from({ length: graph.layers }, (_, layer) => {
    const [key, value] = cacheNames(layer);
    return [input(key, "float32", shape), input(value, "float32", shape)] as const;
  });
  const [last, longest] = [input("last", "int32", ["batch"]), input("longest", "int32", [1])];
  const rows = input("rows", "int64", ["kept"]);
  const inPlace = { stored, last, longest };
  const { hidden, present } = graph.hiddenStates(parameters, { ids, positions, inPlace, rows });
  const outputs: Record<string, Value> = { logits: linear(hidden, graph.head(parameters)) };
  present.forEach(([key, value], layer) => {
    const [keyName, valueName] = cacheNames(layer);
    outputs[written(keyName)] = key;
    outputs[written(valueName)] = value;
  });
  return outputs;
}
