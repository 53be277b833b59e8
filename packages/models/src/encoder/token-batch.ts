import { CPU, causalBlockSizes, floatTensor, KEEPING_DEVICES, type Tensor } from "@rag-ft/onnx";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type Pooling, poolingWeights } from "./pooling.js";

/**
 * Token count of one run of the graph. Runs of 500 to 1,000 tokens are fastest on a CPU: element-wise tensors stay in its
 * caches; larger ones lose about a tenth, smaller ones more.
 */
export const TOKENS_PER_RUN = 1000;

/**
 * Token count of one run where every run copies all weights and sums of gradients to the device and back, as with CUDA: that must be little beside the
 * work. A guess, not measured.
 */
const COPYING_RUN_TOKENS = 8192;

/** Token count of one run of a training on a device, where `usual` is that of the CPU. */
export function tokensPerRun(usual: number, device: string = CPU): number {
  return device === CPU || KEEPING_DEVICES.has(device) ? usual : COPYING_RUN_TOKENS;
}

/**
 * Groups sequences of near-equal length, so that little is padded: sorted by length (longest first, so that memory is
 * known early), cut where rows x longest would exceed `maxTokens`. Returns groups of indices; a longer sequence stands alone.
 */
export function planBatches(
  lengths: readonly number[],
  maxTokens = TOKENS_PER_RUN,
  maxRows = Number.POSITIVE_INFINITY,
): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: number[][] = [];
  let current: number[] = [];
  let longest = 0;
  for (const index of order) {
    if (current.length > 0 && ((current.length + 1) * longest > maxTokens || current.length >= maxRows)) {
      batches.push(current);
      current = [];
    }
    if (current.length === 0) longest = lengths[index] as number;
    current.push(index);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** Ids of a text with the model's special tokens, cut to `maxLength` with the closing tokens, if there are any, kept. */
export function encodeTruncated(tokenizer: Tokenizer, text: string, maxLength: number): number[] {
  const ids = tokenizer.encode(text);
  if (ids.length <= maxLength) return ids;
  const closing = closingTokens(tokenizer);
  return [...ids.slice(0, maxLength - closing), ...ids.slice(ids.length - closing)];
}

const knownClosings = new WeakMap<Tokenizer, number>();

/** How many tokens a tokenizer puts after a text: those that an empty text and another one both end with. */
function closingTokens(tokenizer: Tokenizer): number {
  const known = knownClosings.get(tokenizer);
  if (known !== undefined) return known;
  const [empty, full] = [tokenizer.encode(""), tokenizer.encode("a")];
  let count = 0;
  while (count < empty.length && empty.at(-1 - count) === full.at(-1 - count)) count++;
  knownClosings.set(tokenizer, count);
  return count;
}

/** Inputs of an encoder's graph for padded sequences. */
export interface TokenBatch {
  rows: number;
  /** Tokens of the sequences, padding not counted. */
  tokens: number;
  /** The same of each row. */
  lengths: readonly number[];
  /** What the names of dimensions in an encoder's graph stand for. */
  dims: Readonly<Record<string, number>>;
  inputs: { ids: Tensor; mask: Tensor; pool: Tensor };
}

/** Pads sequences to the longest. `pool` [rows, 1, tokens] holds the weight of each token in its sentence vector. */
export function createTokenBatch(
  sequences: readonly (readonly number[])[],
  padId: number,
  pooling: Pooling,
): TokenBatch {
  const rows = sequences.length;
  const width = Math.max(...sequences.map((sequence) => sequence.length));
  const ids = new BigInt64Array(rows * width).fill(BigInt(padId));
  const mask = new BigInt64Array(rows * width);
  const pool = new Float32Array(rows * width);
  let tokens = 0;
  sequences.forEach((sequence, row) => {
    tokens += sequence.length;
    const start = row * width;
    sequence.forEach((id, i) => {
      ids[start + i] = BigInt(id);
    });
    mask.fill(1n, start, start + sequence.length);
    pool.set(poolingWeights(pooling, sequence.length), start);
  });
  const shape = [rows, width];
  return {
    rows,
    tokens,
    lengths: sequences.map(({ length }) => length),
    dims: { batch: rows, tokens: width, rows: rows * width, ...causalBlockSizes(width) },
    inputs: {
      ids: { dtype: "int64", shape, data: ids },
      mask: { dtype: "int64", shape, data: mask },
      pool: floatTensor(pool, [rows, 1, width]),
    },
  };
}
