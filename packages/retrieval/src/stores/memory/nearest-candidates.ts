import { createSession, floatTensor, gemm, input, type Session } from "@rag-ft/onnx";
import { BestPassages } from "../../best-passages.js";

/** Half the distance from 1 to the next number of single precision. */
const UNIT_ROUNDOFF = 2 ** -24;

let products: Promise<Session> | undefined;

/** `[queries, passages]` of any queries and passages, in single precision. One session serves all stores of the process; it holds no vectors. */
function openProducts(): Promise<Session> {
  products ??= createSession({
    outputs: {
      scores: gemm(input("queries", "float32", ["q", "d"]), input("passages", "float32", ["p", "d"]), undefined, {
        transB: true,
      }),
    },
  });
  return products;
}

/** The length of the longest of some vectors, `[rows, dimensions]`. */
export function longestOf(vectors: Float32Array, dimensions: number): number {
  let longest = 0;
  for (let at = 0; at < vectors.length; at += dimensions) {
    let sum = 0;
    for (let i = at; i < at + dimensions; i++) sum += (vectors[i] as number) ** 2;
    if (!(sum <= longest)) longest = sum;
  }
  return Math.sqrt(longest);
}

/** How far two sums of the same products in single precision may lie from the true one, together: Higham 2002, (3.5), in whatever order they are taken. */
export const roundingBound = (dimensions: number, lengths: number): number => {
  const rounding = dimensions * UNIT_ROUNDOFF;
  return (2 * lengths * rounding) / (1 - rounding);
};

/**
 * For each query (`[queries, dimensions]`) the places, ascending, of all passages (`[passages, dimensions]`, none longer than `longest`) that may be among its best `depths[q]`: products in
 * single precision on the cores of ONNX Runtime, beside other work of this thread, and all that their rounding leaves open.
 */
export async function nearestCandidates(
  queries: Float32Array,
  depths: readonly number[],
  { vectors, dimensions, longest }: { vectors: Float32Array; dimensions: number; longest: number },
): Promise<Int32Array[]> {
  const session = await openProducts();
  const size = vectors.length / dimensions;
  const { scores } = await session.run({
    queries: floatTensor(queries, [depths.length, dimensions]),
    passages: floatTensor(vectors, [size, dimensions]),
  });
  const all = scores?.data as Float32Array;
  return depths.map((depth, q) => {
    const own = all.subarray(q * size, (q + 1) * size);
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    return atLeast(own, leastOf(own, depth) - roundingBound(dimensions, longest * longestOf(query, dimensions)));
  });
}

/** The `depth`-th best of the scores. */
function leastOf(scores: Float32Array, depth: number): number {
  const best = new BestPassages(Math.min(depth, scores.length));
  if (best.scores.length === 0) return Number.POSITIVE_INFINITY;
  let least = Number.NEGATIVE_INFINITY;
  for (let place = 0; place < scores.length; place++) {
    const score = scores[place] as number;
    if (!(score > least)) continue;
    best.offer(place, score);
    least = best.scores[best.scores.length - 1] as number;
  }
  return least;
}

function atLeast(scores: Float32Array, least: number): Int32Array {
  let count = 0;
  for (const score of scores) if (!(score < least)) count++;
  const places = new Int32Array(count);
  for (let place = 0, at = 0; place < scores.length; place++)
    if (!((scores[place] as number) < least)) places[at++] = place;
  return places;
}
