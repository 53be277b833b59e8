// A model with random weights of each family that we save, in a folder as a stage saves it: configs of one screen, tokenizers of the tests' fixtures.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom } from "../packages/core/dist/index.js";
import {
  answerLoss,
  decoderArchitecture,
  encoderArchitecture,
  Parameters,
  sentenceVectors,
  writeSafetensors,
} from "../packages/models/dist/index.js";

const TOKENIZERS = fileURLToPath(new URL("../packages/models/src/tokenizer/fixtures", import.meta.url));

const SMALL = {
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 96,
  max_position_embeddings: 256,
};
const GROUPED = { ...SMALL, num_key_value_heads: 2, rms_norm_eps: 1e-5, eos_token_id: 2, head_dim: 16 };

/** Decoders: config, tokenizer, and whether llama.cpp runs what we write. */
export const DECODERS = [
  {
    name: "llama, scaled as Llama 3",
    config: {
      ...GROUPED,
      model_type: "llama",
      rope_theta: 500000,
      rope_scaling: {
        rope_type: "llama3",
        factor: 4,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    },
    tokenizer: "byte-bpe-split",
    gguf: true,
  },
  {
    name: "mistral",
    config: { ...GROUPED, model_type: "mistral", sliding_window: 200, tie_word_embeddings: false },
    tokenizer: "sentence-piece",
    gguf: true,
  },
  {
    name: "qwen2",
    config: { ...GROUPED, model_type: "qwen2", use_sliding_window: false, tie_word_embeddings: true },
    tokenizer: "byte-bpe-nfc",
    gguf: true,
  },
  {
    name: "qwen3, scaled by YaRN",
    config: {
      ...GROUPED,
      model_type: "qwen3",
      use_sliding_window: false,
      head_dim: 32,
      rope_theta: 10000,
      rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 },
    },
    tokenizer: "byte-bpe-nfc",
    gguf: true,
  },
  {
    name: "gemma3_text",
    config: {
      ...GROUPED,
      model_type: "gemma3_text",
      num_hidden_layers: 7,
      head_dim: 32,
      query_pre_attn_scalar: 32,
      sliding_window: 8,
    },
    tokenizer: "sentence-piece-gemma",
    gguf: true,
  },
  { name: "smollm3", config: { ...GROUPED, model_type: "smollm3", num_hidden_layers: 4 }, tokenizer: "byte-bpe" },
  {
    name: "granite",
    config: {
      ...GROUPED,
      model_type: "granite",
      embedding_multiplier: 3,
      attention_multiplier: 0.2,
      logits_scaling: 2,
    },
    tokenizer: "byte-bpe",
  },
];

const BERT = { ...SMALL, layer_norm_eps: 1e-6, type_vocab_size: 2 };

/** Encoders, in the same way. */
export const ENCODERS = [
  { name: "bert", config: { ...BERT, model_type: "bert" }, tokenizer: "word-piece", gguf: true },
  {
    name: "roberta",
    config: { ...BERT, model_type: "roberta", type_vocab_size: 1, pad_token_id: 1, max_position_embeddings: 258 },
    tokenizer: "byte-bpe-roberta",
  },
  {
    name: "xlm-roberta",
    config: { ...BERT, model_type: "xlm-roberta", type_vocab_size: 1, pad_token_id: 1, max_position_embeddings: 258 },
    tokenizer: "unigram",
  },
  {
    name: "distilbert",
    config: {
      model_type: "distilbert",
      dim: 64,
      n_layers: 3,
      n_heads: 4,
      hidden_dim: 96,
      max_position_embeddings: 256,
      activation: "gelu",
    },
    tokenizer: "word-piece",
  },
  {
    name: "mpnet",
    config: { ...BERT, model_type: "mpnet", relative_attention_num_buckets: 32, max_position_embeddings: 258 },
    tokenizer: "word-piece",
  },
  {
    name: "modernbert",
    config: {
      ...SMALL,
      model_type: "modernbert",
      local_attention: 16,
      global_attn_every_n_layers: 3,
      global_rope_theta: 160000,
      local_rope_theta: 10000,
      pad_token_id: 0,
    },
    tokenizer: "word-piece",
  },
  {
    name: "nomic_bert",
    config: { ...BERT, model_type: "nomic_bert", rope_theta: 1000, hidden_act: "silu" },
    tokenizer: "word-piece",
  },
  {
    name: "qwen3",
    config: { ...GROUPED, model_type: "qwen3", use_sliding_window: false },
    tokenizer: "byte-bpe-nfc",
    gguf: true,
  },
  {
    name: "gemma3_text",
    config: {
      ...GROUPED,
      model_type: "gemma3_text",
      head_dim: 32,
      query_pre_attn_scalar: 32,
      sliding_window: 8,
      use_bidirectional_attention: true,
    },
    tokenizer: "byte-bpe",
  },
];

/** A SentencePiece tokenizer as transformers converts it: of each piece all splits, best pieces first. With `prefix`, a space comes before texts. */
function sentencePiece(description, prefix) {
  const isPiece = (text) => text in description.model.vocab && !/^<.*>$/.test(text);
  const pieces = Object.keys(description.model.vocab).filter((text) => isPiece(text) && [...text].length > 1);
  const merges = pieces.flatMap((text) =>
    [...text.slice(1)]
      .map((_, i) => [text.slice(0, i + 1), text.slice(i + 1)])
      .filter(([first, second]) => isPiece(first) && isPiece(second)),
  );
  const replace = { type: "Replace", pattern: { String: " " }, content: "\u2581" };
  return {
    ...description,
    model: { ...description.model, merges },
    ...(prefix
      ? {}
      : {
          normalizer: replace,
          decoder: { ...description.decoder, decoders: description.decoder.decoders.slice(0, -1) },
        }),
  };
}

function writeTokenizer(folder, kind) {
  const isSentencePiece = kind.startsWith("sentence-piece");
  const from = join(TOKENIZERS, isSentencePiece ? "metaspace-bpe" : kind);
  const description = JSON.parse(readFileSync(join(from, "tokenizer.json"), "utf8"));
  const made = isSentencePiece ? sentencePiece(description, kind === "sentence-piece") : description;
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(made));
  cpSync(join(from, "tokenizer_config.json"), join(folder, "tokenizer_config.json"));
  const ids = [...Object.values(made.model.vocab), ...made.added_tokens.map(({ id }) => id)];
  return Array.isArray(made.model.vocab) ? made.model.vocab.length : Math.max(...ids.filter(Number.isInteger)) + 1;
}

/** Writes such a model; its weights are random, those of norms near 1. */
export async function makeFamily(folder, { config, tokenizer }, isDecoder) {
  mkdirSync(folder, { recursive: true });
  const whole = { ...config, vocab_size: writeTokenizer(folder, tokenizer) };
  writeFileSync(join(folder, "config.json"), JSON.stringify(whole));
  if (isDecoder)
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: config.eos_token_id }));
  const parameters = new Parameters();
  if (isDecoder) answerLoss(decoderArchitecture(whole, folder).read(whole, folder), parameters);
  else sentenceVectors(encoderArchitecture(whole, folder).read(whole, folder), parameters);
  const random = createRandom(7);
  const weights = parameters.entries().map(([name, { shape }]) => {
    const sizes = shape.map(Number);
    const count = sizes.reduce((a, b) => a * b, 1);
    const middle = sizes.length === 1 && /norm|LayerNorm/i.test(name) && name.endsWith("weight") ? 1 : 0;
    const spread = sizes.length === 1 ? 0.2 : 0.5;
    return [
      name,
      { shape: sizes, data: Float32Array.from({ length: count }, () => middle + spread * (random.next() - 0.5)) },
    ];
  });
  await writeSafetensors(join(folder, "model.safetensors"), new Map(weights));
  return folder;
}
