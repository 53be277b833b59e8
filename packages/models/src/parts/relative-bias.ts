import { add, gather, intConstant, maximum, minimum, range, sub, transpose, unsqueeze, type Value } from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";
import type { Layout } from "./heads.js";
import type { Queries } from "./post-norm.js";

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

export interface RelativeBias {
  layout: Layout;
  queries: Queries;
  /** The table's, [32, heads]. */
  name: string;
  heads: number;
}

/** Learned biases of scores by relative position (Raffel et al. 2020), [1, heads, queries, tokens]. */
export function relativeBias(parameters: Parameters, { layout, queries, name, heads }: RelativeBias): Value {
  const buckets = intConstant(Array.from({ length: 2 * FARTHEST + 1 }, (_, i) => bucketOf(i - FARTHEST)));
  const positions = range(layout.tokens, "tokens");
  const asking = queries === "first" ? intConstant([0]) : positions;
  const offsets = sub(unsqueeze(positions, [0]), unsqueeze(asking, [1])); // [queries, keys]
  const near = minimum(maximum(offsets, intConstant([-FARTHEST])), intConstant([FARTHEST]));
  const rows = gather(buckets, add(near, intConstant([FARTHEST])));
  return unsqueeze(transpose(gather(parameters.get(name, [BUCKETS, heads]), rows), [2, 0, 1]), [0]);
}
