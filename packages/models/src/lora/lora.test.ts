import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentReporter } from "@rag-ft/core";
import { constant, orderNodes, type Value } from "@rag-ft/onnx";
import { AdamW, clearGradients, type LoraSettings } from "@rag-ft/train";
import { describe, expect, it } from "vitest";
import { createAnswerBatch } from "../decoder/answer-batch.js";
import { answerLoss } from "../decoder/answer-loss.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { createTrainableDecoder } from "../decoder/trainable-decoder.js";
import { createTokenBatch } from "../encoder/token-batch.js";
import { createTrainableEncoder } from "../encoder/trainable-encoder.js";
import { Parameters } from "../graph/parameters.js";
import { type LoadedScorer, loadScorer } from "../scorer/load-scorer.js";
import { scorePairs } from "../scorer/pair-scorer.js";
import { headModules } from "../scorer/scorer-heads.js";
import { createTrainableScorer } from "../scorer/trainable-scorer.js";
import { relativeError } from "../testing/relative-error.js";
import { data, fixture, TINY_EXAMPLES, tinyDecoder, tinyEncoder } from "../testing/tiny-models.js";
import { readSafetensors } from "../weights/read-safetensors.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { decoderAdapters, encoderAdapters, scorerAdapters } from "./create-adapters.js";
import type { LoraAdapters } from "./lora-adapters.js";
import { restoreAdapter, writeAdapter } from "./write-adapter.js";

const lora = (more: Partial<LoraSettings> = {}): LoraSettings => ({
  r: 2,
  alpha: 6,
  targets: ["all-linear"],
  seed: 1,
  ...more,
});
const BATCH = createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5);

/** PEFT's adapters and their gradients: scripts/make-lora-references.py. */
const reference = (name: string): Promise<Map<string, WeightTensor>> =>
  readSafetensors(join(fixture(name), "lora.safetensors"));

const named = (tensors: ReadonlyMap<string, unknown>, prefix: string): string[] =>
  [...tensors.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));

/** Gives adapters PEFT's values, which also shows that names and shapes are PEFT's. */
function take(adapters: LoraAdapters, from: ReadonlyMap<string, WeightTensor>): void {
  expect([...adapters.weights.keys()].sort()).toEqual(named(from, "adapter.").sort());
  for (const [name, weight] of adapters.weights) {
    expect(weight.shape).toEqual(from.get(`adapter.${name}`)?.shape);
    weight.data.set(data(from, `adapter.${name}`));
  }
}

function compareGradients(gradients: ReadonlyMap<string, Float32Array>, from: ReadonlyMap<string, WeightTensor>): void {
  const names = named(from, "gradient.");
  expect([...gradients.keys()].sort()).toEqual(names.sort());
  for (const name of names) {
    const expected = data(from, `gradient.${name}`);
    // A key's bias is the only parameter whose gradient is zero; adapters have none such.
    expect(Math.max(...expected.map(Math.abs)), name).toBeGreaterThan(1e-4);
    expect(relativeError(gradients.get(name), expected), name).toBeLessThan(1e-4);
  }
}

describe("adapters against PEFT's", () => {
  it("an encoder's vectors and gradients", async () => {
    const from = await reference("tiny-bert");
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const adapters = encoderAdapters(encoder, lora({ r: 3, alpha: 4, targets: ["query", "key", "value", "dense"] }));
    take(adapters, from);
    const model = await createTrainableEncoder(encoder, {}, adapters);
    const batch = createTokenBatch(
      [
        [2, 5, 9, 31, 7, 3],
        [2, 17, 17, 3],
        [2, 39, 3],
      ],
      0,
      "mean",
    );
    const base = await model.forward(batch);
    expect(relativeError(base, data(from, "vectors"))).toBeGreaterThan(0.1);
    await adapters.merge();
    expect(relativeError(await model.forward(batch), data(from, "vectors"))).toBeLessThan(1e-5);
    const seeds = await readSafetensors(join(fixture("tiny-bert"), "reference.safetensors"));
    await model.backward(batch, data(seeds, "vector_gradients"));
    compareGradients(model.gradients, from);
    await adapters.close();
    await model.close();
  });

  it.each([
    { name: "tiny-llama", settings: lora() },
    { name: "tiny-llama-untied", settings: lora({ alpha: 1, targets: ["q_proj", "v_proj"] }) },
  ])("$name's loss and gradients", async ({ name, settings }) => {
    const from = await reference(name);
    const decoder = await tinyDecoder(name);
    const adapters = decoderAdapters(decoder, settings);
    take(adapters, from);
    const model = await createTrainableDecoder(decoder, {}, adapters);
    await adapters.merge();
    const expected = data(from, "loss")[0] as number;
    expect(await model.loss(BATCH)).toBeCloseTo(expected, 5);
    expect(await model.backward(BATCH)).toBeCloseTo(expected, 5);
    compareGradients(model.gradients, from);
    await adapters.close();
    await model.close();
  });
});

const copyOf = ({ weights }: LoadedDecoder): Map<string, Float32Array> =>
  new Map([...weights].map(([name, weight]) => [name, weight.data.slice()]));

describe("training", () => {
  it("starts at the base, moves adapters alone, and the merged weights are W + s B A", async () => {
    const decoder = await tinyDecoder("tiny-llama");
    const base = copyOf(decoder);
    const adapters = decoderAdapters(decoder, lora({ targets: ["q_proj", "down_proj"] }));
    const model = await createTrainableDecoder(decoder, {}, adapters);
    const start = await model.loss(BATCH);
    await adapters.merge();
    expect(copyOf(decoder)).toEqual(base);
    expect(await model.loss(BATCH)).toBe(start);

    const optimizer = new AdamW();
    const parameters = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
    for (let step = 0; step < 20; step++) {
      await model.backward(BATCH);
      await optimizer.update(parameters, model.gradients, 0.05);
      clearGradients(model.gradients);
      await adapters.merge();
    }
    expect(await model.loss(BATCH)).toBeLessThan(start * 0.7);

    const layers = [0, 1].flatMap((layer) => [
      `model.layers.${layer}.mlp.down_proj`,
      `model.layers.${layer}.self_attn.q_proj`,
    ]);
    expect([...adapters.layers].sort()).toEqual(layers);
    const trained = layers.flatMap((layer) =>
      ["A", "B"].map((part) => `base_model.model.${layer}.lora_${part}.weight`),
    );
    expect([...model.trained.keys()].sort()).toEqual(trained.sort());
    expect([...model.gradients.keys()].sort()).toEqual(trained.sort());
    expect(named(optimizer.state().moments, "").sort()).toEqual(trained.sort());

    for (const [name, { data: now, shape }] of decoder.weights) {
      const before = base.get(name) as Float32Array;
      const layer = name.replace(/\.weight$/, "");
      if (!layers.includes(layer)) {
        expect(now, name).toEqual(before);
        continue;
      }
      const [a, b] = ["A", "B"].map((part) => data(model.trained, `base_model.model.${layer}.lora_${part}.weight`)) as [
        Float32Array,
        Float32Array,
      ];
      const [outputs, inputs] = shape as [number, number];
      const expected = before.map((weight, i) => {
        const [row, column] = [Math.floor(i / inputs), i % inputs];
        let sum = 0;
        for (let k = 0; k < 2; k++) sum += (b[row * 2 + k] as number) * (a[k * inputs + column] as number);
        return weight + 3 * sum;
      });
      expect(expected).toHaveLength(outputs * inputs);
      expect(relativeError(expected, before), name).toBeGreaterThan(0.001);
      expect(relativeError(now, expected), name).toBeLessThan(1e-6);
    }

    adapters.reset();
    expect(copyOf(decoder)).toEqual(base);
    expect(await model.loss(BATCH)).toBe(start);
    await adapters.merge();
    expect(copyOf(decoder)).toEqual(base);
    await adapters.close();
    await model.close();
  });

  it("first values are those of the seed: A uniform within 1/√in, B zero", async () => {
    const firsts = async (seed: number): Promise<ReadonlyMap<string, WeightTensor>> =>
      decoderAdapters(await tinyDecoder("tiny-llama"), lora({ r: 32, seed })).weights;
    const [one, again, other] = [await firsts(1), await firsts(1), await firsts(2)];
    expect(one).toEqual(again);
    const name = "base_model.model.model.layers.1.self_attn.o_proj.lora_A.weight";
    const a = data(one, name); // [32, 24]
    expect(a).not.toEqual(data(other, name));
    const bound = 1 / Math.sqrt(24);
    expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(bound);
    const deviation = Math.sqrt(a.reduce((sum, value) => sum + value ** 2, 0) / a.length);
    expect(deviation).toBeGreaterThan(0.9 * (bound / Math.sqrt(3)));
    expect(deviation).toBeLessThan(1.1 * (bound / Math.sqrt(3)));
    expect(
      [...one.keys()].filter((key) => key.includes("lora_B")).every((key) => data(one, key).every((v) => v === 0)),
    ).toBe(true);
  });
});

describe("the backward graph", () => {
  async function gradientNodes(targets: string[]): Promise<{ shapes: string[]; ops: string[] }> {
    const decoder = await tinyDecoder("tiny-llama");
    const parameters = new Parameters();
    const loss = answerLoss(decoder.graph, parameters);
    const adapters = decoderAdapters(decoder, lora({ targets }));
    const gradients = adapters.adapterGradients([[loss, constant(1)]], parameters);
    const forward = new Set(orderNodes([loss]));
    const nodes = orderNodes(gradients.map(([, gradient]) => gradient)).filter((node) => !forward.has(node));
    return { ops: nodes.map(({ op }) => op), shapes: nodes.map((node) => (node.outputs[0] as Value).shape.join()) };
  }

  it("holds nothing of a frozen weight's size", async () => {
    const { weights } = await tinyDecoder("tiny-llama");
    const { shapes } = await gradientNodes(["all-linear"]);
    expect(shapes).toContain("2,24");
    for (const [name, { shape }] of weights) expect(shapes, name).not.toContain(shape.join());
  });

  it("ends at the first adapted layer", async () => {
    const all = await gradientNodes(["all-linear"]);
    const last = await gradientNodes(["model.layers.1.mlp.down_proj"]);
    expect(last.ops.length).toBeLessThan(all.ops.length / 5);
  });
});

it("an adapter folder has PEFT's files, names and values", async () => {
  const from = await reference("tiny-llama-untied");
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const adapters = decoderAdapters(
    await tinyDecoder("tiny-llama-untied"),
    lora({ alpha: 1, targets: ["q_proj", "v_proj"] }),
  );
  take(adapters, from);
  await writeAdapter(folder, adapters, { base: "some/base", task: "CAUSAL_LM" });
  const saved = await readSafetensors(join(folder, "adapter", "adapter_model.safetensors"));
  expect([...saved.keys()].sort()).toEqual(named(from, "adapter.").sort());
  for (const [name, weight] of saved) expect(weight).toEqual(from.get(`adapter.${name}`));
  expect(JSON.parse(await readFile(join(folder, "adapter", "adapter_config.json"), "utf8"))).toMatchObject({
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: "some/base",
    r: 2,
    lora_alpha: 1,
    lora_dropout: 0,
    target_modules: ["self_attn.q_proj", "self_attn.v_proj"],
    bias: "none",
    use_rslora: false,
  });
  await rm(folder, { recursive: true });
});

it("a reranker's adapters have its head whole beside them, and back in memory give the same scores", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const base = fileURLToPath(new URL("../../../../data/models/tiny-encoder", import.meta.url));
  const options = { env: {}, reporter: silentReporter, newHead: 3 };
  const pairs = [
    ["How is a timeout set?", "The timeout option takes milliseconds."],
    ["How is a timeout set?", "Passages are cut at headings."],
  ] as const;
  const scoresOf = async (scorer: LoadedScorer): Promise<Float32Array> => {
    const model = await createTrainableScorer(scorer);
    const scores = await scorePairs(scorer, model.forward, pairs);
    await model.close();
    return scores;
  };
  const scorer = await loadScorer(base, options);
  const plain = await scoresOf(scorer);
  const adapters = scorerAdapters(scorer, lora({ targets: ["all-linear"] }));
  for (const [name, { data: values }] of adapters.weights) {
    if (name.endsWith(".lora_B.weight")) values.set(values.map((_, i) => Math.sin(7 * i)));
  }
  await adapters.merge();
  const adapted = await scoresOf(scorer);
  expect(relativeError(adapted, plain)).toBeGreaterThan(0.001);
  await writeAdapter(folder, adapters, { base, task: "SEQ_CLS", whole: headModules(scorer) });

  expect(JSON.parse(await readFile(join(folder, "adapter", "adapter_config.json"), "utf8"))).toMatchObject({
    task_type: "SEQ_CLS",
    modules_to_save: ["pooler", "classifier"],
  });
  const saved = await readSafetensors(join(folder, "adapter", "adapter_model.safetensors"));
  for (const name of ["classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"]) {
    expect(saved.get(`base_model.model.${name}`), name).toEqual(scorer.weights.get(name));
  }
  expect(saved.size).toBe(adapters.weights.size + 4);

  const again = await loadScorer(base, options);
  const others = scorerAdapters(again, lora({ targets: ["all-linear"] }));
  await restoreAdapter(folder, others);
  expect(await scoresOf(again)).toEqual(adapted);
  await adapters.close();
  await others.close();
  await rm(folder, { recursive: true });
});
