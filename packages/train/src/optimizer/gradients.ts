import { InternalError } from "@rag-ft/core";

/** Adds `gradient` into the sum kept under its name. Takes ownership of the array when it is the first. */
export function accumulate(sums: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) {
    sums.set(name, gradient);
    return;
  }
  if (sum.length !== gradient.length) throw new InternalError(`gradients of ${name} differ in size`);
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number);
}

/** L2 norm over all gradients together. */
export function gradientNorm(gradients: ReadonlyMap<string, Float32Array>): number {
  let total = 0;
  for (const gradient of gradients.values()) {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += (gradient[i] as number) ** 2;
    total += sum;
  }
  return Math.sqrt(total);
}

/** Factor that brings gradients of this norm to at most `maximum` (torch.nn.utils.clip_grad_norm_); 1 when 0 switches it off. */
export function clipFactor(norm: number, maximum: number): number {
  return maximum > 0 ? Math.min(1, maximum / (norm + 1e-6)) : 1;
}
