import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { env, pipeline } from "@huggingface/transformers";
import { silentReporter } from "@rag-ft/core";
import { AdamW } from "@rag-ft/train";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { EncoderSettings } from "./encoder/encoder-settings.js";
import { sentenceVectors } from "./encoder/load-encoder.js";
import { encoderArchitecture } from "./graph/architectures.js";
import {
  createTokenBatch,
  createTrainableEncoder,
  encoderAdapters,
  loadEncoder,
  openEncoder,
  Parameters,
  randomWeights,
  saveEncoder,
  writeSafetensors,
} from "./index.js";

// A table of words of 2.002 GiB, above what protobuf, one read and one hash take: random weights of BERT's form, one layer.
const HIDDEN = 512;
const VOCABULARY = 1_050_000;
const tiny = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const options = { env: {}, reporter: silentReporter };
const TEXTS = ["How do I set a timeout?", "The timeout option takes milliseconds."];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-large-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The tiny encoder with other sizes; all weights are drawn anew. */
async function makeLarge(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const config: Record<string, unknown> = JSON.parse(await readFile(join(tiny, "config.json"), "utf8"));
  const sizes = { vocab_size: VOCABULARY, hidden_size: HIDDEN, intermediate_size: 1024, num_hidden_layers: 1 };
  const large = { ...config, ...sizes, num_attention_heads: 8 };
  await writeFile(join(path, "config.json"), JSON.stringify(large));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) await copyFile(join(tiny, name), join(path, name));
  const parameters = new Parameters();
  sentenceVectors(encoderArchitecture(large, path).read(large, path), parameters);
  await writeSafetensors(join(path, "model.safetensors"), randomWeights(parameters, 3));
}

const embed = async (path: string): Promise<{ vectors: Float32Array; settings: EncoderSettings }> => {
  const encoder = await openEncoder(path, options);
  const vectors = await encoder.embed(TEXTS, "passage");
  await encoder.close();
  return { vectors, settings: encoder.settings };
};

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

it.runIf(process.env.RAG_FT_SLOW_TESTS)(
  "a model above 2 GiB loads, embeds, trains, is saved, and opens here and in transformers.js",
  async () => {
    const base = join(folder, "base");
    await makeLarge(base);
    const { vectors: before } = await embed(base);
    expect(cosine(before.subarray(0, HIDDEN), before.subarray(HIDDEN))).toBeLessThan(0.9999);

    const saved = join(folder, "saved");
    await (async () => {
      const encoder = await loadEncoder(base, options);
      const adapters = encoderAdapters(encoder, { r: 4, alpha: 8, targets: ["all-linear"], seed: 1 });
      const model = await createTrainableEncoder(encoder, {}, adapters);
      const batch = createTokenBatch(
        TEXTS.map((text) => encoder.tokenizer.encode(text)),
        encoder.tokenizer.padId,
        encoder.settings.pooling,
      );
      const vectors = await model.forward(batch);
      await model.backward(
        batch,
        Float32Array.from(vectors, (_, i) => Math.cos(i)),
      );
      const optimizer = new AdamW();
      for (let step = 0; step < 2; step++) {
        const parameters = [...adapters.weights].map(([name, weight]) => ({ name, ...weight }));
        await optimizer.update(parameters, model.gradients, 0.01);
        await adapters.merge();
      }
      await optimizer.close();
      await model.close();
      await adapters.close();
      await saveEncoder(saved, encoder);
    })();
    expect((await stat(join(saved, "onnx/model.onnx_data"))).size).toBeGreaterThan(2 ** 31);
    expect((await stat(join(saved, "onnx/model.onnx"))).size).toBeLessThan(2 ** 20);

    const { vectors: after, settings } = await embed(saved);
    expect(cosine(before, after)).toBeLessThan(0.999);
    env.allowRemoteModels = false;
    const extract = await pipeline("feature-extraction", saved, { dtype: "fp32" });
    const theirs = await extract(
      TEXTS.map((text) => settings.passage_prefix + text),
      { pooling: settings.pooling as "mean", normalize: true },
    );
    await extract.dispose();
    expect(cosine(after, theirs.data as Float32Array)).toBeGreaterThan(0.9999);
    console.log(`peak ${(process.resourceUsage().maxRSS / 2 ** 20).toFixed(1)} GiB`);
  },
  600_000,
);
