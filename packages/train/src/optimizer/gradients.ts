/** Gradients summed over the runs of a step, by parameter name. */
export type GradientSums = Map<string, Float32Array>;

/** Sums of zero for parameters. */
export function createGradientSums(parameters: Iterable<readonly [string, { data: Float32Array }]>): GradientSums {
  return new Map([...parameters].map(([name, { data }]) => [name, new Float32Array(data.length)]));
}

/** Sets sums back to zero, for the next step. */
export function clearGradients(sums: GradientSums): void {
  for (const sum of sums.values()) sum.fill(0);
}

/** Adds `updates` [n, width] to the rows `indices` [n] of a table [rows, width]; a row may come several times. */
export function addRows(table: Float32Array, indices: BigInt64Array, updates: Float32Array, width: number): void {
  for (let row = 0; row < indices.length; row++) {
    const to = Number(indices[row]) * width;
    const from = row * width;
    for (let i = 0; i < width; i++) table[to + i] = (table[to + i] as number) + (updates[from + i] as number);
  }
}

/** L2 norm over all gradients together. */
export function gradientNorm(gradients: ReadonlyMap<string, Float32Array>): number {
  let total = 0;
  for (const gradient of gradients.values()) {
    // Four sums, since each addition to one waits for the last one.
    let [a, b, c, d] = [0, 0, 0, 0];
    const whole = gradient.length - (gradient.length % 4);
    for (let i = 0; i < whole; i += 4) {
      a += (gradient[i] as number) ** 2;
      b += (gradient[i + 1] as number) ** 2;
      c += (gradient[i + 2] as number) ** 2;
      d += (gradient[i + 3] as number) ** 2;
    }
    for (let i = whole; i < gradient.length; i++) a += (gradient[i] as number) ** 2;
    total += a + b + c + d;
  }
  return Math.sqrt(total);
}

/** Factor that brings gradients of this norm to at most `maximum` (torch.nn.utils.clip_grad_norm_); 1 when 0 switches it off. */
export function clipFactor(norm: number, maximum: number): number {
  return maximum > 0 ? Math.min(1, maximum / (norm + 1e-6)) : 1;
}
