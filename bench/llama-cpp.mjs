// llama.cpp as a peer, through node-llama-cpp, where bench/peers.sh installed it: tokens, greedy text and vectors of a GGUF file.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const entry = fileURLToPath(new URL("../.peers/node_modules/node-llama-cpp/dist/index.js", import.meta.url));

/** llama.cpp on the CPU; undefined where it is not installed. */
export async function openLlamaCpp(threads = 1) {
  if (!existsSync(entry)) return undefined;
  const { getLlama } = await import(pathToFileURL(entry).href);
  return getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: threads });
}

/** What a GGUF decoder makes: ids of texts, and the ids that it writes after prompts (ids), greedily. */
export async function ggufDecoder(llama, modelPath) {
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: 1024, threads: 1 });
  const sequence = context.getSequence();
  return {
    tokenize: (text) => Array.from(model.tokenize(text, true), Number),
    detokenize: (ids) => model.detokenize(ids),
    async greedy(ids, count) {
      await sequence.clearHistory();
      const written = [];
      for await (const token of sequence.evaluate(ids, { temperature: 0 })) {
        if (model.isEogToken(token)) break;
        written.push(Number(token));
        if (written.length === count) break;
      }
      return written;
    },
    /** How often the next of these ids is what it finds likeliest, after a prompt. */
    async agreement(prompt, text) {
      await sequence.clearHistory();
      const next = { generateNext: { token: true, options: { temperature: 0 } } };
      const input = [...prompt.slice(0, -1), ...[prompt.at(-1), ...text.slice(0, -1)].map((id) => [id, next])];
      const found = (await sequence.controlledEvaluate(input)).filter((output) => output?.next?.token !== undefined);
      return found.filter(({ next: { token } }, i) => Number(token) === text[i]).length / text.length;
    },
    async close() {
      await context.dispose();
      await model.dispose();
    },
  };
}

/** Unit vectors that a GGUF encoder makes of texts. */
export async function ggufVectors(llama, modelPath, texts) {
  const model = await llama.loadModel({ modelPath });
  const context = await model.createEmbeddingContext({ threads: 1 });
  const vectors = [];
  for (const text of texts) {
    const { vector } = await context.getEmbeddingFor(text);
    const length = Math.hypot(...vector);
    vectors.push(vector.map((value) => value / length));
  }
  await context.dispose();
  await model.dispose();
  return vectors;
}
