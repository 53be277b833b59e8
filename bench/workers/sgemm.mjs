// The machine's peak: the best rate of a plain fp32 Gemm through our own session, right factor as an input and as a constant
// (which ONNX Runtime lays out ahead). Prints JSON.
import { createSession, floatTensor, gemm, input } from "../../packages/onnx/dist/index.js";

const threads = Number(process.argv[2] ?? 0);
const SIZES = [
  [1024, 384, 1536],
  [1024, 1536, 384],
  [4096, 768, 3072],
];
const SECONDS = 1;

const noise = (size) => Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5);
const rates = {};
for (const [m, k, n] of SIZES) {
  const a = floatTensor(noise(m * k), [m, k]);
  const b = floatTensor(noise(k * n), [k, n]);
  const into = { c: floatTensor(new Float32Array(m * n), [m, n]) };
  for (const kind of ["input", "constant"]) {
    const c = gemm(input("a", "float32", [m, k]), input("b", "float32", [k, n]));
    const weights = kind === "constant" ? { weights: new Map([["b", b]]) } : {};
    const session = await createSession({ outputs: { c }, ...weights }, { threads });
    let best = 0;
    for (let i = 0, start = performance.now(); i < 3 || performance.now() - start < SECONDS * 1000; i++) {
      const began = performance.now();
      await session.run({ a, b }, into);
      if (i > 0) best = Math.max(best, (2 * m * k * n) / (performance.now() - began) / 1e6);
    }
    rates[`${m}x${k}x${n} ${kind}`] = Number(best.toFixed(1));
    await session.close();
  }
}
console.log(JSON.stringify({ gflops: Math.max(...Object.values(rates)), rates }));
