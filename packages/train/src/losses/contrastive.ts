import {
  add,
  constant,
  createSession,
  floatTensor,
  input,
  intTensor,
  type Session,
  type SessionSettings,
  type Value,
} from "@rag-ft/onnx";
import { backward } from "../gradients/backward.js";
import { comparisonMask, comparisonsOf, gatherRows, type Pair, scatterRows } from "./comparisons.js";
import { crossEntropy } from "./cross-entropy.js";
import { type Similarity, similarities } from "./similarities.js";

export interface ContrastiveBatch {
  /** Query vectors, row-major [queries, dimensions], unnormalised. */
  queries: Float32Array;
  /** Key vectors (distinct gold passages, then hard negatives), row-major [keys, dimensions]. */
  keys: Float32Array;
  dimensions: number;
  /** For each query, the row of its gold passage among the keys. */
  labels: readonly number[];
  /** Pairs (query, key) that are never negatives: another gold passage of the query, a near-duplicate. */
  excluded?: readonly Pair[];
  /** Pairs (query, key) that are positives beside those of `labels`, and so never negatives. */
  positives?: readonly Pair[];
  /** Factor of loss and gradients (default 1): one over the batches that make a step. */
  scale?: number;
}

export interface ContrastiveResult {
  loss: number;
  queryGradients: Float32Array;
  keyGradients: Float32Array;
}

export interface ContrastiveLoss {
  run(batch: ContrastiveBatch): Promise<ContrastiveResult>;
  /** For vectors of all queries and then all keys, [queries + keys, dimensions]; their gradients in one array, as `cachedBackward` wants them. */
  runTogether(
    vectors: Float32Array,
    batch: Omit<ContrastiveBatch, "queries" | "keys" | "dimensions">,
  ): Promise<{ loss: number; gradients: Float32Array }>;
  close(): Promise<void>;
}

/**
 * In-batch contrastive loss (InfoNCE; van den Oord et al. 2018, Karpukhin et al. 2020): for each query, the cross-entropy of its gold key among
 * all keys by similarity / temperature, averaged over queries. It knows vectors, not models, so that gradient caching can wrap it.
 *
 * With several positives P(q) and negatives N(q), scores s = similarity / temperature, a query's loss is the mean over its positives of
 *
 *     -log( exp s(q, p) / (exp s(q, p) + sum over n in N(q) of exp s(q, n)) )
 *
 * the SINCERE loss of Feeney and Hughes 2023 (arXiv 2309.14277): no positive stands in another's denominator, where SupCon (Khosla et al. 2020)
 * would push positives away from each other. With one positive it is InfoNCE.
 *
 * With `lengths`, the sum of that loss over vectors cut to each of them, so that the first entries alone serve (Kusupati et al. 2022).
 */
export async function createContrastiveLoss(
  settings: {
    dimensions: number;
    similarity: Similarity;
    temperature: number;
    lengths?: readonly number[] | undefined;
  },
  sessionSettings: SessionSettings = {},
): Promise<ContrastiveLoss> {
  const { dimensions, similarity, temperature, lengths = [dimensions] } = settings;
  const queries = input("queries", "float32", ["queries", dimensions]);
  const keys = input("keys", "float32", ["keys", dimensions]);
  const bias = input("bias", "float32", ["queries", "keys"]);
  const labels = input("labels", "int64", ["queries"]);
  const weights = input("weights", "float32", ["queries"]);
  const losses = lengths.map((length) =>
    crossEntropy(add(similarities(queries, keys, { similarity, temperature, length }), bias), labels, weights),
  );
  const loss = losses.reduce((sum, one) => add(sum, one));
  const [queryGradients, keyGradients] = backward([[loss, constant(1)]], [queries, keys]) as [Value, Value];
  const session: Session = await createSession({ outputs: { loss, queryGradients, keyGradients } }, sessionSettings);
  const run = async (batch: ContrastiveBatch): Promise<ContrastiveResult> => {
    const { length } = batch.labels;
    const comparisons = comparisonsOf(batch.labels, batch.positives);
    const numbers = comparisons.map(({ query }) => query);
    const rows = comparisons.length;
    const columns = batch.keys.length / dimensions;
    const mask = comparisonMask(comparisons, columns, batch.excluded);
    const weight = (batch.scale ?? 1) / length;
    const result = await session.run({
      queries: floatTensor(gatherRows(batch.queries, dimensions, numbers), [rows, dimensions]),
      keys: floatTensor(batch.keys, [columns, dimensions]),
      bias: floatTensor(mask, [rows, columns]),
      labels: intTensor(
        comparisons.map(({ key }) => key),
        [rows],
      ),
      weights: floatTensor(
        Float32Array.from(comparisons, ({ share }) => weight * share),
        [rows],
      ),
    });
    return {
      loss: result.loss?.data[0] as number,
      queryGradients: scatterRows(result.queryGradients?.data as Float32Array, dimensions, numbers, length),
      keyGradients: result.keyGradients?.data as Float32Array,
    };
  };
  return {
    run,
    async runTogether(vectors, batch) {
      const start = batch.labels.length * dimensions;
      const result = await run({
        ...batch,
        queries: vectors.subarray(0, start),
        keys: vectors.subarray(start),
        dimensions,
      });
      const gradients = new Float32Array(vectors.length);
      gradients.set(result.queryGradients);
      gradients.set(result.keyGradients, start);
      return { loss: result.loss, gradients };
    },
    close: () => session.close(),
  };
}
