import {
  attention,
  cast,
  concat,
  type Dim,
  expand,
  groupHeads,
  intConstant,
  MASKED,
  mul,
  range,
  reshapeLike,
  sub,
  unsqueeze,
  type Value,
  windowBias,
} from "@rag-ft/onnx";
import type { DropoutSites } from "../encoder/dropout.js";
import type { Layout } from "./heads.js";

export interface BothDirectionsOptions {
  /** Keys farther from a query than this are not seen; all are when left out. */
  reach?: number | undefined;
  /** Added to the scores, [1, heads, tokens, tokens]. */
  bias?: Value;
}

/** Attention of [batch, heads, tokens, size] to [batch, groups, tokens, size]. */
export type BothDirections = (query: Value, key: Value, value: Value, options?: BothDirectionsOptions) => Value;

/**
 * Attention in both directions, with padding masked, for all layers of a graph. Heads may share keys (Ainslie et al. 2023): those of a group
 * are rows of one matrix.
 *
 * @param mask int64 [batch, tokens]: 1 for a token, 0 for padding
 */
export function bothDirections(layout: Layout, mask: Value, dropout?: DropoutSites): BothDirections {
  // [batch, 1, tokens, 1]: 0 where there is a token, MASKED where there is padding.
  const padding = mul(sub(1, unsqueeze(cast(mask, "float32"), [1, 3])), MASKED);
  const biases = new Map<number, Value>();
  const keyBias = (groups: number): Value => {
    const made = biases.get(groups) ?? expand(padding, ["batch", groups, "tokens", 1], intConstant([1, groups, 1, 1]));
    biases.set(groups, made);
    return made;
  };
  const windows = new Map<number, Value>();
  /** Of one window, again for each head of a group. */
  const window = (reach: number, times: number, rows: Dim): Value => {
    const positions = range(layout.tokens, "tokens");
    const made = windows.get(reach) ?? windowBias(positions, positions, reach);
    windows.set(reach, made);
    return times === 1 ? made : concat(new Array<Value>(times).fill(made), 0, rows);
  };
  return (query, key, value, { reach, bias } = {}) => {
    const [heads, groups] = [Number(query.shape[1]), Number(key.shape[1])];
    const rows = heads === groups ? query : groupHeads(query, groups);
    const added = reach === undefined ? bias : window(reach, heads / groups, rows.shape[2] as Dim);
    const dropped = dropout?.mask(["batch", heads, query.shape[2] as Dim, "tokens"]);
    const seen = dropped && heads !== groups ? groupHeads(dropped, groups) : dropped;
    const context = attention(rows, key, value, keyBias(groups), {
      ...(added ? { bias: added } : {}),
      ...(seen ? { dropout: seen } : {}),
    });
    return heads === groups ? context : reshapeLike(context, query);
  };
}
