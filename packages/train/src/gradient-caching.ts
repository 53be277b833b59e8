/** A model that turns chunks of inputs into vectors, and back-propagates gradients of vectors into its own sums. */
export interface VectorModel<Chunk> {
  /** Vectors of a chunk, row-major [rows, dimensions]. It may keep what `backward` of this chunk will need. */
  forward(chunk: Chunk): Promise<Float32Array>;
  /** Adds the gradients of the weights, given those of the chunk's vectors. */
  backward(chunk: Chunk, vectorGradients: Float32Array): Promise<void>;
}

export interface Chunked<Chunk> {
  chunk: Chunk;
  /** For each of the chunk's rows, its row among all vectors. */
  rows: readonly number[];
}

/**
 * Gradient caching (Gao et al. 2021): the gradient of a loss over all vectors of a large batch, with the activations of
 * one chunk at a time in memory.
 *
 * 1. Vectors of every chunk. Activations are not kept, or only as far as the model has memory for them; the last chunk comes first, so that
 *    where chunks are sorted by length, more of them find room.
 * 2. Loss and its gradient with respect to every vector.
 * 3. Each chunk backward, from its rows of that gradient; forward again before, where its activations are gone.
 *
 * Exact: the chain rule only regrouped. `loss` gets all vectors [total, dimensions] and returns gradients of the same shape.
 */
export async function cachedBackward<Chunk>(
  model: VectorModel<Chunk>,
  chunks: readonly Chunked<Chunk>[],
  size: { total: number; dimensions: number },
  loss: (vectors: Float32Array) => Promise<{ loss: number; gradients: Float32Array }>,
): Promise<number> {
  const { total, dimensions } = size;
  const vectors = new Float32Array(total * dimensions);
  for (const { chunk, rows } of chunks.toReversed()) {
    const made = await model.forward(chunk);
    rows.forEach((row, i) => {
      vectors.set(made.subarray(i * dimensions, (i + 1) * dimensions), row * dimensions);
    });
  }
  const result = await loss(vectors);
  for (const { chunk, rows } of chunks) {
    const gradients = new Float32Array(rows.length * dimensions);
    rows.forEach((row, i) => {
      gradients.set(result.gradients.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
    });
    await model.backward(chunk, gradients);
  }
  return result.loss;
}
