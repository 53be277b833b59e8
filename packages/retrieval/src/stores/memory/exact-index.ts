import { InternalError } from "@rag-ft/core";
import { BestPassages, type Ranked } from "../../best-passages.js";

/** Passages of a block: 128 vectors of 384 floats are 192 KiB, which stays in a core's second-level cache for all queries. */
const BLOCK = 128;
/** Queries scored in one pass over a passage's vector. */
const LANES = 4;

/** Takes the score of each passage for one query, by ascending id. */
interface ScoreTaker {
  offer(id: number, score: number): void;
}

/** Keeps all scores of a query. */
class AllScores implements ScoreTaker {
  readonly values: Float64Array;

  constructor(size: number) {
    this.values = new Float64Array(size);
  }

  offer(id: number, score: number): void {
    this.values[id] = score;
  }
}

/**
 * Exact search over all passages: O(queries · passages · dimensions). Sums are taken in double precision and in the order of
 * the dimensions, so that results do not depend on how the loops are cut.
 */
export class ExactIndex {
  readonly size: number;

  /** `vectors` is `[passages, dimensions]`, row-major. */
  constructor(
    readonly vectors: Float32Array,
    readonly dimensions: number,
  ) {
    if (dimensions < 1 || vectors.length % dimensions !== 0) {
      throw new InternalError(`${vectors.length} numbers are no vectors of ${dimensions} dimensions.`);
    }
    this.size = vectors.length / dimensions;
  }

  /** The best `k` passages of each query (`[queries, dimensions]`), of all or of those `among` them, whose places ascend. */
  search(queries: Float32Array, k: number, among?: Int32Array): Ranked[] {
    const kept = Math.min(k, among?.length ?? this.size);
    const best = Array.from({ length: this.countOf(queries) }, () => new BestPassages(kept));
    if (kept > 0) this.scoreAll(queries, best, among);
    return best;
  }

  /** Inner product of each query with every passage, `[passages]` a query. */
  scores(queries: Float32Array): Float64Array[] {
    const all = Array.from({ length: this.countOf(queries) }, () => new AllScores(this.size));
    this.scoreAll(queries, all);
    return all.map(({ values }) => values);
  }

  /** @throws InternalError when these are no vectors of the index's dimensions. */
  countOf(queries: Float32Array): number {
    if (queries.length % this.dimensions !== 0) {
      throw new InternalError(
        `Queries of ${queries.length} numbers do not fit an index of ${this.dimensions} dimensions.`,
      );
    }
    return queries.length / this.dimensions;
  }

  private scoreAll(queries: Float32Array, takers: readonly ScoreTaker[], among?: Int32Array): void {
    // Queries are padded to whole lanes; the padding is scored and thrown away.
    const padded = new Float64Array(Math.ceil(takers.length / LANES) * LANES * this.dimensions);
    padded.set(queries);
    const size = among?.length ?? this.size;
    for (let start = 0; start < size; start += BLOCK) {
      const end = Math.min(start + BLOCK, size);
      for (let q = 0; q < takers.length; q += LANES) this.scoreBlock(padded, q, start, end, takers, among);
    }
  }

  private scoreBlock(
    queries: Float64Array,
    q: number,
    start: number,
    end: number,
    takers: readonly ScoreTaker[],
    among?: Int32Array,
  ): void {
    const d = this.dimensions;
    const a = q * d;
    const b = a + d;
    const c = b + d;
    const e = c + d;
    for (let place = start; place < end; place++) {
      const p = among === undefined ? place : (among[place] as number);
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
      takers[q]?.offer(p, s0);
      takers[q + 1]?.offer(p, s1);
      takers[q + 2]?.offer(p, s2);
      takers[q + 3]?.offer(p, s3);
    }
  }
}
