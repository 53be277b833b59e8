import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AutoModelForCausalLM,
  AutoModelForSequenceClassification,
  AutoTokenizer,
  env,
  pipeline,
  type Tensor,
} from "@huggingface/transformers";
import { silentReporter } from "@rag-ft/core";
import {
  loadDecoder,
  loadEncoder,
  loadScorer,
  openEncoder,
  saveDecoder,
  saveEncoder,
  saveScorer,
} from "@rag-ft/models";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exportSettings, exportStage } from "./index.js";
import { modelUse } from "./model-use.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../data/models/${name}`, import.meta.url));
const context = { env: {}, reporter: silentReporter, signal: new AbortController().signal };
const run = (settings: object) => exportStage.run(exportSettings.parse(settings), context);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-export-"));
  env.allowRemoteModels = false;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("an encoder in 8 bits gives transformers.js nearly the same vectors", async () => {
  const path = join(folder, "encoder");
  await saveEncoder(path, await loadEncoder(model("tiny-encoder"), context));
  const { outputs } = await run({ model_path: path, to: "q8" });
  expect(outputs).toEqual([join(path, "onnx", "model_quantized.onnx")]);
  const texts = ["How do I set a timeout?", "The timeout option takes milliseconds.\n\nsetTimeout(fn, 10)", "Déjà vu"];
  const ours = await openEncoder(path, context);
  const vectors = await ours.embed(texts, "passage");
  const extract = await pipeline("feature-extraction", path, { dtype: "q8" });
  const theirs = await extract(
    texts.map((text) => ours.settings.passage_prefix + text),
    { pooling: "mean", normalize: true },
  );
  texts.forEach((_, row) => {
    let cosine = 0;
    for (let i = row * ours.dimensions; i < (row + 1) * ours.dimensions; i++) {
      cosine += (vectors[i] as number) * Number(theirs.data[i]);
    }
    expect(cosine).toBeGreaterThan(0.999);
    expect(cosine).toBeLessThan(1 - 1e-7); // It is the graph in 8 bits.
  });
  await ours.close();
});

it("a generator in 8 bits writes the same in transformers.js, beside GGUF files of both kinds, in a folder of its own", async () => {
  const base = join(folder, "decoder");
  await saveDecoder(base, await loadDecoder(model("tiny-decoder"), context));
  const output = join(folder, "exports");
  const { summary } = await run({ model_path: base, to: "q8,gguf-f16,gguf-q8_0", output });
  expect(summary).toMatch(/^generator\n/);
  expect((await readdir(output)).filter((name) => /\.gguf$|onnx/.test(name)).sort()).toEqual([
    "decoder-F16.gguf",
    "decoder-Q8_0.gguf",
    "onnx",
  ]);
  const write = async (path: string, dtype: "fp32" | "q8"): Promise<string> => {
    const tokenizer = await AutoTokenizer.from_pretrained(path);
    const decoder = await AutoModelForCausalLM.from_pretrained(path, { dtype });
    const inputs = tokenizer("To install the package, run npm install in the folder of your project.");
    const output = (await decoder.generate({ ...inputs, max_new_tokens: 20, do_sample: false })) as Tensor;
    await decoder.dispose();
    return tokenizer.decode(output.tolist()[0], { skip_special_tokens: true });
  };
  expect(await write(output, "q8")).toBe(await write(base, "fp32"));
});

it("a reranker in 8 bits gives nearly the same logits, and is not written as GGUF", async () => {
  const path = join(folder, "reranker");
  await saveScorer(path, await loadScorer(model("tiny-encoder"), { ...context, newHead: 5 }));
  const { summary } = await run({ model_path: path, to: "q8" });
  expect(summary).toMatch(/^reranker\n/);
  const logits = async (dtype: "fp32" | "q8"): Promise<number> => {
    const tokenizer = await AutoTokenizer.from_pretrained(path);
    const scorer = await AutoModelForSequenceClassification.from_pretrained(path, { dtype });
    const inputs = tokenizer("How is a timeout set?", { text_pair: "The timeout option takes milliseconds." });
    const { logits: found } = (await scorer(inputs)) as { logits: Tensor };
    await scorer.dispose();
    return Number(found.data[0]);
  };
  const [exact, rounded] = [await logits("fp32"), await logits("q8")];
  // A random head: logits near 0, of hidden states of size 1.
  expect(Math.abs(rounded - exact)).toBeLessThan(0.005);
  expect(rounded).not.toBe(exact);
  await expect(run({ model_path: path, to: "gguf-f16" })).rejects.toThrow(/a reranker is not written as GGUF/);
});

it("tells what a model is for by its files", async () => {
  const of = (config: object, path = folder) => modelUse(path, config as Record<string, unknown>);
  expect(await of({ model_type: "llama" })).toBe("generator");
  expect(await of({ model_type: "bert" })).toBe("encoder");
  expect(await of({ model_type: "bert", architectures: ["BertForSequenceClassification"] })).toBe("reranker");
  expect(await of({ model_type: "qwen3", architectures: ["Qwen3ForCausalLM"] })).toBe("generator");
  expect(await of({ model_type: "qwen3", architectures: ["Qwen3Model"] })).toBe("encoder");
  // Qwen3-Embedding names itself a language model; its modules.json says otherwise.
  const architectures = ["Qwen3ForCausalLM"];
  expect(await of({ model_type: "qwen3", architectures }, model("tiny-encoder"))).toBe("encoder");
});

it("refuses GGUF of a type that is not written, with what is", async () => {
  const path = join(folder, "mpnet");
  await cp(fileURLToPath(new URL("../../models/src/fixtures/st-distilbert", import.meta.url)), path, {
    recursive: true,
  });
  await expect(run({ model_path: path, to: "gguf-f16", use: "encoder" })).rejects.toThrow(
    /model_type is "distilbert", which is not written as GGUF; known: llama, .*Export it as q8 instead/,
  );
});
