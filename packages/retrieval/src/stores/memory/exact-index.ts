import { InternalError } from "@rag-ft/core";
import { BestPassages, type Ranked } from "../../best-passages.js";
import { productsOfOne, productsOfTwo } from "./inner-products.js";

/** Passages of a block: 128 vectors of 384 floats are 192 KiB, which stays in a core's second-level cache for all queries. */
const BLOCK = 128;

/** Takes the scores of a block of passages for query `q`: `scores[i]` is that of the passage `places[i]`; places ascend, within a block and from block to block. */
type TakeScores = (q: number, places: Int32Array, scores: Float64Array) => void;

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

  /** The best `k` passages of each query (`[queries, dimensions]`; `k` may be one a query), of all or of those `among` them, whose places ascend. */
  search(queries: Float32Array, k: number | readonly number[], among?: Int32Array): Ranked[] {
    const size = among?.length ?? this.size;
    const kept = (q: number): number => Math.min(typeof k === "number" ? k : (k[q] ?? 0), size);
    const best = Array.from({ length: this.countOf(queries) }, (_, q) => new BestPassages(kept(q)));
    if (best.some(({ ids }) => ids.length > 0))
      this.scoreAll(queries, best.length, (q, places, scores) => best[q]?.offerAll(places, scores), among);
    return best;
  }

  /** Inner product of each query with every passage, `[passages]` a query. */
  scores(queries: Float32Array): Float64Array[] {
    const all = Array.from({ length: this.countOf(queries) }, () => new Float64Array(this.size));
    this.scoreAll(queries, all.length, (q, places, scores) => all[q]?.set(scores, places[0]));
    return all;
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

  private scoreAll(queries: Float32Array, count: number, take: TakeScores, among?: Int32Array): void {
    const d = this.dimensions;
    const ofQueries = { values: Float64Array.from(queries), dimensions: d };
    const ofPassages = { values: this.vectors, dimensions: d };
    const scores = new Float64Array(2 * BLOCK);
    const size = among?.length ?? this.size;
    const own = new Int32Array(BLOCK);
    for (let start = 0; start < size; start += BLOCK) {
      const length = Math.min(BLOCK, size - start);
      for (let i = 0; among === undefined && i < length; i++) own[i] = start + i;
      const places = among === undefined ? own.subarray(0, length) : among.subarray(start, start + length);
      for (let q = 0; q < count; q += 2) {
        if (q + 1 === count) productsOfOne(ofQueries, q, ofPassages, places, length, scores, 0);
        else productsOfTwo(ofQueries, q, ofPassages, places, length, scores, 0, BLOCK);
        take(q, places, scores.subarray(0, length));
        if (q + 1 < count) take(q + 1, places, scores.subarray(BLOCK, BLOCK + length));
      }
    }
  }
}
