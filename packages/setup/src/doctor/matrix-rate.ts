import { createSession, floatTensor, gemm, input } from "@rag-ft/onnx";

/** Of a product in a feed-forward part of a small model. */
const [M, K, N] = [1024, 768, 1024];
const SECONDS = 0.5;

const noise = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5);

/** The best rate of an fp32 matrix product through our own session: floating-point operations a second. */
export async function matrixRate(): Promise<number> {
  const a = floatTensor(noise(M * K), [M, K]);
  const b = floatTensor(noise(K * N), [K, N]);
  const c = gemm(input("a", "float32", [M, K]), input("b", "float32", [K, N]));
  const session = await createSession({ outputs: { c } });
  let best = 0;
  const start = performance.now();
  for (let i = 0; i < 3 || performance.now() - start < SECONDS * 1000; i++) {
    const began = performance.now();
    await session.run({ a, b });
    // The first run allocates.
    if (i > 0) best = Math.max(best, (2 * M * K * N * 1000) / (performance.now() - began));
  }
  await session.close();
  return best;
}
