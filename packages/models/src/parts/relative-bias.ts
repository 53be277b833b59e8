import { add, gather, intConstant, maximum, minimum, range, sub, transpose, unsqueeze, type Value } from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";
import type { Layout } from "./heads.js";

/** Buckets of relative positions, half of them for keys after the query. */
const BUCKETS = 32;
/** From this distance on all positions share a bucket. */
const FARTHEST = 128;

/** The bucket of a key `offset` places after the query, negative before it: near ones have a bucket each, farther ones share them by logarithm. */
function bucketOf(offset: number): number {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const distance = Math.abs(offset);
  const far = exact + Math.floor((Math.log(distance / exact) / Math.log(FARTHEST / exact)) * (half - exact));
  return (offset > 0 ? half : 0) + (distance < exact ? distance : Math.min(far, half - 1));
}

/** Learned biases of scores by relative position (Raffel et al. 2020), [1, heads, tokens, tokens]; the table `name` is [32, heads]. */
export function relativeBias(parameters: Parameters, layout: Layout, name: string, heads: number): Value {
  const buckets = intConstant(Array.from({ length: 2 * FARTHEST + 1 }, (_, i) => bucketOf(i - FARTHEST)));
  const positions = range(layout.tokens, "tokens");
  const offsets = sub(unsqueeze(positions, [0]), unsqueeze(positions, [1])); // [queries, keys]
  const near = minimum(maximum(offsets, intConstant([-FARTHEST])), intConstant([FARTHEST]));
  const rows = gather(buckets, add(near, intConstant([FARTHEST])));
  return unsqueeze(transpose(gather(parameters.get(name, [BUCKETS, heads]), rows), [2, 0, 1]), [0]);
}
