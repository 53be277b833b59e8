/** `listwise`: softmax over the passages of a question; `binary`: each pair by itself. */
export const RERANKING_LOSSES = ["listwise", "binary"] as const;
export type RerankingLossKind = (typeof RERANKING_LOSSES)[number];

export interface RerankingBatch {
  /** Logits of all pairs, those of a question together, its gold passage first. */
  logits: Float32Array;
  /** Passages of each question, the gold one among them; their sum is the length of `logits`. */
  sizes: readonly number[];
  /** Factor of loss and gradients (default 1): one over the batches that make a step. */
  scale?: number;
}

/** Cross-entropy of the gold passage in a softmax over a question's passages, averaged over questions. */
function listwise(logits: Float32Array, sizes: readonly number[], gradients: Float32Array): number {
  let start = 0;
  let loss = 0;
  for (const size of sizes) {
    const own = logits.subarray(start, start + size);
    const largest = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const sum = own.reduce((total, value) => total + Math.exp(value - largest), 0);
    loss += (Math.log(sum) + largest - (own[0] as number)) / sizes.length;
    own.forEach((value, i) => {
      gradients[start + i] = (Math.exp(value - largest) / sum - (i === 0 ? 1 : 0)) / sizes.length;
    });
    start += size;
  }
  return loss;
}

/** Binary cross-entropy, 1 for gold passages and 0 for others, averaged over pairs. */
function binary(logits: Float32Array, sizes: readonly number[], gradients: Float32Array): number {
  let start = 0;
  let loss = 0;
  for (const size of sizes) {
    for (let i = start; i < start + size; i++) {
      const logit = logits[i] as number;
      const label = i === start ? 1 : 0;
      // log(1 + exp(logit)) - label * logit, without overflow.
      loss += (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - label * logit) / logits.length;
      gradients[i] = (1 / (1 + Math.exp(-logit)) - label) / logits.length;
    }
    start += size;
  }
  return loss;
}

/**
 * A reranker's loss over questions, each with its gold passage and negatives, and its gradient for every logit. `listwise` is the localized contrastive
 * estimation of Gao et al. 2021 ("Rethink training of BERT rerankers in multi-stage retrieval pipeline"). Computed in double precision.
 */
export function rerankingLoss(
  kind: RerankingLossKind,
  { logits, sizes, scale = 1 }: RerankingBatch,
): { loss: number; gradients: Float32Array } {
  const gradients = new Float32Array(logits.length);
  const loss = { listwise, binary }[kind](logits, sizes, gradients);
  return { loss: loss * scale, gradients: scale === 1 ? gradients : gradients.map((value) => value * scale) };
}
