import { InternalError } from "@rag-ft/core";
import { BestPassages } from "./best-passages.js";
import type { SearchResult, VectorIndex } from "./vector-index.js";

/** Passages of a block: 128 vectors of 384 floats are 192 KiB, which stays in a core's second-level cache for all queries. */
const BLOCK = 128;
/** Queries scored in one pass over a passage's vector. */
const LANES = 4;

/**
 * Exact search over all passages: O(queries · passages · dimensions). Sums are taken in double precision and in the order of
 * the dimensions, so that results do not depend on how the loops are cut.
 */
export class ExactIndex implements VectorIndex {
  readonly kind = "exact";
  readonly size: number;

  /** `vectors` is `[passages, dimensions]`, row-major. */
  constructor(
    private readonly vectors: Float32Array,
    readonly dimensions: number,
  ) {
    if (dimensions < 1 || vectors.length % dimensions !== 0) {
      throw new InternalError(`${vectors.length} numbers are no vectors of ${dimensions} dimensions.`);
    }
    this.size = vectors.length / dimensions;
  }

  search(queries: Float32Array, k: number): SearchResult {
    const d = this.dimensions;
    if (queries.length % d !== 0) {
      throw new InternalError(`Queries of ${queries.length} numbers do not fit an index of ${d} dimensions.`);
    }
    const count = queries.length / d;
    const kept = Math.min(k, this.size);
    const best = Array.from({ length: count }, () => new BestPassages(kept));
    // Queries are padded to whole lanes; the padding is scored and thrown away.
    const padded = new Float64Array(Math.ceil(count / LANES) * LANES * d);
    padded.set(queries);
    for (let start = 0; start < this.size && kept > 0; start += BLOCK) {
      const end = Math.min(start + BLOCK, this.size);
      for (let q = 0; q < count; q += LANES) this.scoreBlock(padded, q, start, end, best);
    }
    const ids = new Int32Array(count * kept);
    const scores = new Float32Array(count * kept);
    best.forEach((passages, q) => {
      ids.set(passages.ids, q * kept);
      scores.set(passages.scores, q * kept);
    });
    return { k: kept, ids, scores };
  }

  private scoreBlock(queries: Float64Array, q: number, start: number, end: number, best: BestPassages[]): void {
    const d = this.dimensions;
    const a = q * d;
    const b = a + d;
    const c = b + d;
    const e = c + d;
    for (let p = start; p < end; p++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let i = 0, at = p * d; i < d; i++, at++) {
        const x = this.vectors[at] as number;
        s0 += x * (queries[a + i] as number);
        s1 += x * (queries[b + i] as number);
        s2 += x * (queries[c + i] as number);
        s3 += x * (queries[e + i] as number);
      }
      best[q]?.offer(p, s0);
      best[q + 1]?.offer(p, s1);
      best[q + 2]?.offer(p, s2);
      best[q + 3]?.offer(p, s3);
    }
  }
}
