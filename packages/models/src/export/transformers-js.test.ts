import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM, AutoTokenizer, env, pipeline, type Tensor } from "@huggingface/transformers";
import { createRandom, silentReporter } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAnswerBatch } from "../decoder/answer-batch.js";
import { answerLoss } from "../decoder/answer-loss.js";
import { loadDecoder } from "../decoder/load-decoder.js";
import { createTrainableDecoder } from "../decoder/trainable-decoder.js";
import { loadEncoder, sentenceVectors } from "../encoder/load-encoder.js";
import { openEncoder } from "../encoder/passage-encoder.js";
import { decoderArchitecture, encoderArchitecture } from "../graph/architectures.js";
import type { RawConfig } from "../graph/config.js";
import { Parameters } from "../graph/parameters.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { exportDecoder } from "./export-decoder.js";
import { saveDecoder } from "./save-decoder.js";
import { saveEncoder } from "./save-encoder.js";
import { writeOnnx } from "./write-onnx.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../../data/models/${name}`, import.meta.url));
const options = { env: {}, reporter: silentReporter };
const TEXTS = [
  "How do I set a timeout?",
  "The timeout option takes milliseconds.\n\n```js\nsetTimeout(fn, 10)\n```",
  "Déjà vu – naïve café",
];

interface Family {
  config: RawConfig;
  /** Of the tests' fixtures. */
  tokenizer: string;
  isDecoder?: boolean;
}

/** A folder of a small architecture with weights from a seed, and a tokenizer of its kind from the tests' fixtures. */
async function makeModel(path: string, { config, tokenizer, isDecoder = false }: Family): Promise<string> {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "config.json"), JSON.stringify(config));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(
      fileURLToPath(new URL(`../tokenizer/fixtures/${tokenizer}/${name}`, import.meta.url)),
      join(path, name),
    );
  }
  const parameters = new Parameters();
  if (isDecoder) answerLoss(decoderArchitecture(config, path).read(config, path), parameters);
  else sentenceVectors(encoderArchitecture(config, path).read(config, path), parameters);
  const random = createRandom(5);
  const weights = parameters.entries().map(([name, { shape }]) => {
    const sizes = shape.map(Number);
    const data = Float32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5);
    return [name, { shape: sizes, data }] as const;
  });
  await writeSafetensors(join(path, "model.safetensors"), new Map(weights));
  return path;
}

const SMALL = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 48 };
const XLM_ROBERTA = {
  ...SMALL,
  model_type: "xlm-roberta",
  architectures: ["XLMRobertaModel"],
  vocab_size: 160,
  max_position_embeddings: 130,
  type_vocab_size: 1,
  pad_token_id: 1,
  layer_norm_eps: 1e-5,
};
const QWEN2 = {
  ...SMALL,
  model_type: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  vocab_size: 420,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  use_sliding_window: false,
  sliding_window: 32,
  max_window_layers: 2,
  tie_word_embeddings: false,
};

const WORDS = { ...SMALL, vocab_size: 280, max_position_embeddings: 130, layer_norm_eps: 1e-6, type_vocab_size: 2 };
const GROUPED = { ...QWEN2, head_dim: 16, tie_word_embeddings: true };

/** Types that transformers.js knows, beside `bert` and `llama`, whose tiny models come with the project. */
const ENCODERS: Readonly<Record<string, Family>> = {
  "xlm-roberta": { config: XLM_ROBERTA, tokenizer: "unigram" },
  mpnet: { config: { ...WORDS, model_type: "mpnet", relative_attention_num_buckets: 32 }, tokenizer: "word-piece" },
  modernbert: {
    config: { ...WORDS, model_type: "modernbert", local_attention: 8, global_attn_every_n_layers: 2, pad_token_id: 0 },
    tokenizer: "word-piece",
  },
  nomic_bert: {
    config: { ...WORDS, model_type: "nomic_bert", hidden_act: "silu", rope_theta: 1000 },
    tokenizer: "word-piece",
  },
};
const DECODERS: Readonly<Record<string, Family>> = {
  qwen2: { config: QWEN2, tokenizer: "byte-bpe-nfc", isDecoder: true },
  qwen3: { config: { ...GROUPED, model_type: "qwen3" }, tokenizer: "byte-bpe-nfc", isDecoder: true },
  gemma3_text: {
    config: { ...GROUPED, model_type: "gemma3_text", sliding_window: 4, query_pre_attn_scalar: 16 },
    tokenizer: "byte-bpe",
    isDecoder: true,
  },
  smollm3: { config: { ...GROUPED, model_type: "smollm3" }, tokenizer: "byte-bpe", isDecoder: true },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  env.allowRemoteModels = false;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(["bert", ...Object.keys(ENCODERS)])("transformers.js gives the vectors of a saved %s encoder", async (kind) => {
  const family = ENCODERS[kind];
  const base = family ? await makeModel(join(folder, `tiny-e5-${kind}`), family) : model("tiny-encoder");
  const path = join(folder, `${kind}-encoder`);
  await saveEncoder(path, await loadEncoder(base, options));
  const ours = await openEncoder(path, options);
  const vectors = await ours.embed(TEXTS, "passage");
  const extract = await pipeline("feature-extraction", path, { dtype: "fp32" });
  const theirs = await extract(
    TEXTS.map((text) => ours.settings.passage_prefix + text),
    { pooling: ours.settings.pooling as "mean" | "cls", normalize: true },
  );
  expect(theirs.dims).toEqual([TEXTS.length, ours.dimensions]);
  const cosines = TEXTS.map((_, row) => {
    let sum = 0;
    for (let i = row * ours.dimensions; i < (row + 1) * ours.dimensions; i++) {
      sum += (vectors[i] as number) * Number(theirs.data[i]);
    }
    return sum;
  });
  expect(Math.min(...cosines)).toBeGreaterThan(0.9999);
  expect(ours.settings).toMatchObject({ query_prefix: "query: ", passage_prefix: "passage: " });
  await ours.close();
});

/** The text that has the lowest loss, token by token: what greedy decoding with a cache must find too. */
async function generate(path: string, prompt: string): Promise<number[]> {
  const tokenizer = await AutoTokenizer.from_pretrained(path);
  const decoder = await AutoModelForCausalLM.from_pretrained(path, { dtype: "fp32" });
  const output = (await decoder.generate({ ...tokenizer(prompt), max_new_tokens: 12, do_sample: false })) as Tensor;
  await decoder.dispose();
  return (output.tolist()[0] as (bigint | number)[]).map(Number);
}

it.each(["llama", ...Object.keys(DECODERS)])(
  "transformers.js writes with a saved %s decoder what our engine finds likeliest, also from weights beside the model",
  async (kind) => {
    const family = DECODERS[kind];
    const base = family ? await makeModel(join(folder, `tiny-${kind}`), family) : model("tiny-decoder");
    const decoder = await loadDecoder(base, options);
    const path = join(folder, `${kind}-decoder`);
    await saveDecoder(path, decoder);
    const prompt = "The timeout option takes";
    const whole = await generate(path, prompt);
    const ids = decoder.tokenizer.encode(prompt);
    expect(whole.slice(0, ids.length)).toEqual(ids);
    expect(whole.length).toBeGreaterThan(ids.length + 3);

    // Each token written must have a lower loss than any other token would: compare with a few.
    const trainable = await createTrainableDecoder(decoder);
    for (let at = ids.length; at < ids.length + 3; at++) {
      const lossOf = (token: number): Promise<number> =>
        trainable.loss(createAnswerBatch([{ prompt: whole.slice(0, at), answer: [token] }], 0, 1));
      const chosen = await lossOf(whole[at] as number);
      for (const other of [10, 100, 200, 400]) expect(chosen).toBeLessThanOrEqual(await lossOf(other));
    }
    await trainable.close();

    const beside = join(folder, `${kind}-beside`);
    await saveDecoder(beside, decoder, (temporary) => writeOnnx(temporary, exportDecoder(decoder), 1000));
    expect((await readdir(join(beside, "onnx"))).sort()).toEqual(["model.onnx", "model.onnx_data"]);
    expect(await generate(beside, prompt)).toEqual(whole);
  },
);
