import { causalBlockSizes, intTensor, type Tensor } from "@rag-ft/onnx";
import type { PairTokens } from "../tokenizer/tokenizer.js";

/** Inputs of a scorer's graph for padded pairs. */
export interface PairBatch {
  rows: number;
  /** Tokens of the pairs, padding not counted. */
  tokens: number;
  /** The same of each row. */
  lengths: readonly number[];
  /** What the names of dimensions in the graph stand for. */
  dims: Readonly<Record<string, number>>;
  inputs: { ids: Tensor; mask: Tensor; types: Tensor };
}

/** Pads pairs on the right to the longest. */
export function createPairBatch(pairs: readonly PairTokens[], padId: number): PairBatch {
  const rows = pairs.length;
  const width = Math.max(...pairs.map(({ ids }) => ids.length));
  const shape = [rows, width];
  const padded = (row: readonly number[], by: number): number[] => [
    ...row,
    ...new Array<number>(width - row.length).fill(by),
  ];
  return {
    rows,
    tokens: pairs.reduce((sum, { ids }) => sum + ids.length, 0),
    lengths: pairs.map(({ ids }) => ids.length),
    dims: { batch: rows, tokens: width, rows: rows * width, ...causalBlockSizes(width) },
    inputs: {
      ids: intTensor(
        pairs.flatMap(({ ids }) => padded(ids, padId)),
        shape,
      ),
      mask: intTensor(
        pairs.flatMap(({ ids }) =>
          padded(
            ids.map(() => 1),
            0,
          ),
        ),
        shape,
      ),
      types: intTensor(
        pairs.flatMap(({ types }) => padded(types, 0)),
        shape,
      ),
    },
  };
}
