import { floatTensor, intTensor, type Tensor } from "@rag-ft/onnx";

/** A training example in tokens: the loss is on `answer` only. */
export interface AnswerExample {
  prompt: readonly number[];
  answer: readonly number[];
}

export interface AnswerBatch {
  /** Tokens of prompts and answers, padding not counted. */
  tokens: number;
  /** The same of each row. */
  lengths: readonly number[];
  labels: number;
  /** What the names of dimensions in a decoder's graph stand for. */
  dims: { batch: number; tokens: number; rows: number; labels: number };
  inputs: { ids: Tensor; label_rows: Tensor; labels: Tensor; label_weights: Tensor };
}

/** Pads examples on the right to the longest. Each label counts `weight` (1 / labels of the whole step for its mean). */
export function createAnswerBatch(examples: readonly AnswerExample[], padId: number, weight: number): AnswerBatch {
  const width = Math.max(...examples.map(({ prompt, answer }) => prompt.length + answer.length));
  const ids = new BigInt64Array(examples.length * width).fill(BigInt(padId));
  const labelRows: number[] = [];
  const labels: number[] = [];
  let tokens = 0;
  examples.forEach(({ prompt, answer }, row) => {
    const start = row * width;
    tokens += prompt.length + answer.length;
    [...prompt, ...answer].forEach((id, i) => {
      ids[start + i] = BigInt(id);
    });
    answer.forEach((id, i) => {
      labelRows.push(start + prompt.length + i - 1);
      labels.push(id);
    });
  });
  return {
    tokens,
    lengths: examples.map(({ prompt, answer }) => prompt.length + answer.length),
    labels: labels.length,
    dims: { batch: examples.length, tokens: width, rows: examples.length * width, labels: labels.length },
    inputs: {
      ids: { dtype: "int64", shape: [examples.length, width], data: ids },
      label_rows: intTensor(labelRows, [labels.length]),
      labels: intTensor(labels, [labels.length]),
      label_weights: floatTensor(new Float32Array(labels.length).fill(weight), [labels.length]),
    },
  };
}
