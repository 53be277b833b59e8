import {
  add,
  apply,
  cast,
  causalBias,
  concat,
  constant,
  element,
  input,
  intConstant,
  linear,
  MASKED,
  type ModelSource,
  mul,
  neg,
  range,
  reshape,
  shapeOf,
  sub,
  unsqueeze,
  type Value,
} from "@rag-ft/onnx";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { Parameters } from "../graph/parameters.js";

const INT64_MAX = 2 ** 53; // as good as the end of an axis

/** The last `count` (int64 scalar; 0 means all) positions of x [batch, tokens, hidden]. */
function lastPositions(x: Value, count: Value): Value {
  const start = neg(reshape(count, [1], [1]));
  const inputs = [x, start, intConstant([INT64_MAX]), intConstant([1])];
  return apply("Slice", inputs, { dtype: x.dtype, shape: [x.shape[0] ?? 1, "kept", x.shape[2] ?? 1] });
}

/**
 * The decoder as an ONNX model with its weights and a key/value cache, with the inputs and outputs that transformers.js expects;
 * with `num_logits_to_keep`, a long prompt costs one row of logits.
 */
export function exportDecoder({ graph, weights }: LoadedDecoder): ModelSource {
  const ids = input("input_ids", "int64", ["batch", "tokens"]);
  const mask = input("attention_mask", "int64", ["batch", "keys"]);
  const positions = input("position_ids", "int64", ["batch", "tokens"]);
  const keep = input("num_logits_to_keep", "int64", []);
  const cache = (layer: number, part: string): Value =>
    input(`past_key_values.${layer}.${part}`, "float32", ["batch", graph.keyValueHeads, "past", graph.headSize]);
  const past = Array.from(
    { length: graph.layers },
    (_, layer) => [cache(layer, "key"), cache(layer, "value")] as const,
  );

  const keys = range(element(shapeOf(mask), 1), "keys");
  const pastLength = element(shapeOf((past[0] as readonly [Value, Value])[0]), 2);
  const queries = add(range(element(shapeOf(ids), 1), "tokens"), pastLength);
  const padding = mul(sub(constant(1), unsqueeze(cast(mask, "float32"), [1, 2])), constant(MASKED));
  const biases = new Map<number | undefined, Value>();
  const bias = (window?: number): Value => {
    const made = biases.get(window) ?? add(padding, causalBias(queries, keys, window)); // [batch, 1, tokens, keys]
    biases.set(window, made);
    return made;
  };

  const parameters = new Parameters();
  const { hidden, present } = graph.hiddenStates(parameters, { ids, positions, cache: { past, bias } });
  const size = graph.hiddenSize;
  const batched = reshape(hidden, ["batch", "tokens", size], concat([shapeOf(ids), intConstant([size])], 0));
  const kept = lastPositions(batched, keep);
  const rows = linear(reshape(kept, ["kept rows", size], [-1, size]), graph.head(parameters));
  const logitsShape = concat([reshape(element(shapeOf(ids), 0), [1], [1]), intConstant([-1, graph.vocabularySize])], 0);
  const logits = reshape(rows, ["batch", "kept", graph.vocabularySize], logitsShape);
  return {
    outputs: {
      logits,
      ...Object.fromEntries(
        present.flatMap(([key, value], layer) => [
          [`present.${layer}.key`, key],
          [`present.${layer}.value`, value],
        ]),
      ),
    },
    weights,
    inputs: [ids, mask, positions, keep, ...past.flat()],
  };
}
