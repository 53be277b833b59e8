import { DataError, UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { sentenceVectors } from "../encoder/load-encoder.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { decoderArchitecture, encoderArchitecture } from "./architectures.js";
import type { RawConfig } from "./config.js";
import { matchWeights, Parameters } from "./parameters.js";

const sizes = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8, vocab_size: 9 };
const bert = { ...sizes, model_type: "bert", max_position_embeddings: 12 };
const roberta = { ...bert, model_type: "roberta", max_position_embeddings: 14, pad_token_id: 1, type_vocab_size: 1 };
const xlm = { ...roberta, model_type: "xlm-roberta" };
const llama = { ...sizes, model_type: "llama", max_position_embeddings: 12 };
const qwen2 = { ...llama, model_type: "qwen2" };

const modern = { ...bert, model_type: "modernbert" };
const gemma = { ...llama, model_type: "gemma3_text", num_key_value_heads: 1, head_dim: 4 };

const encoder = (config: RawConfig): ReturnType<ReturnType<typeof encoderArchitecture>["read"]> =>
  encoderArchitecture(config, "m").read(config, "m");
const decoder = (config: RawConfig): ReturnType<ReturnType<typeof decoderArchitecture>["read"]> =>
  decoderArchitecture(config, "m").read(config, "m");

/** Names and shapes of an encoder's weights, all zeros. */
function weightsOf(config: RawConfig, prefix = ""): Map<string, WeightTensor> {
  const parameters = new Parameters();
  sentenceVectors(encoder(config), parameters);
  return new Map(
    parameters.entries().map(([name, { shape }]) => {
      const numbers = shape.map(Number);
      return [prefix + name, { shape: numbers, data: new Float32Array(numbers.reduce((a, b) => a * b, 1)) }];
    }),
  );
}

describe("what a model takes", () => {
  it("RoBERTa's positions before the first cannot be used", () => {
    expect(encoder(roberta).maxTokens).toBe(12);
    expect(encoder({ ...roberta, pad_token_id: 0 }).maxTokens).toBe(13);
    expect(encoder(bert).maxTokens).toBe(12);
  });

  it("Mistral's window bounds its texts, one that is switched off does not", () => {
    expect(decoder({ ...llama, model_type: "mistral", sliding_window: 5 }).maxTokens).toBe(5);
    expect(decoder({ ...llama, model_type: "mistral", sliding_window: null }).maxTokens).toBe(12);
    expect(decoder({ ...qwen2, sliding_window: 5, use_sliding_window: false }).maxTokens).toBe(12);
  });

  it("configs of the makers' own code are read: Nomic's names, its positions scaled beyond the trained ones, GTE's base", () => {
    const own = {
      n_embd: 16,
      n_layer: 1,
      n_head: 2,
      n_inner: 8,
      n_positions: 8192,
      vocab_size: 9,
      rotary_emb_base: 1000,
    };
    const nomic = { ...own, model_type: "nomic_bert", activation_function: "swiglu", rotary_scaling_factor: null };
    expect(encoder(nomic)).toMatchObject({ dimensions: 16, maxTokens: 8192 });
    expect(encoder({ ...nomic, rotary_scaling_factor: 2 }).maxTokens).toBe(2048);
    expect(encoder({ ...nomic, rotary_scaling_factor: 2, max_trained_positions: 512 }).maxTokens).toBe(512);
    const gte = { ...bert, model_type: "new", position_embedding_type: "rope", rope_theta: 20_000 };
    expect(encoder({ ...gte, rope_scaling: { type: "ntk", factor: 8 } }).maxTokens).toBe(12);
  });

  it("Qwen2's head is its embedding's matrix or its own", () => {
    const headOf = (config: RawConfig): string | undefined => decoder(config).head(new Parameters()).input;
    expect(headOf({ ...qwen2, tie_word_embeddings: true })).toBe("model.embed_tokens.weight");
    expect(headOf({ ...qwen2, tie_word_embeddings: false })).toBe("lm_head.weight");
  });
});

describe("a config that asks for what the graph does not compute", () => {
  it.each([
    [
      { ...bert, position_embedding_type: "relative_key_query" },
      /position_embedding_type: "relative_key_query": .*ALiBi/,
    ],
    [{ ...bert, position_embedding_type: "alibi" }, /\(bert\).*"alibi": .*not supported, expected "absolute"/],
    [{ ...xlm, position_embedding_type: "rotary" }, /\(xlm-roberta\).*"rotary": .*not supported, expected "absolute"/],
    [{ ...roberta, is_decoder: true }, /is_decoder: true: a causal model as an encoder is not supported/],
    [{ ...bert, add_cross_attention: true }, /add_cross_attention: true: cross-attention is not supported/],
    [{ ...xlm, max_position_embeddings: 2 }, /max_position_embeddings: must be greater than pad_token_id \+ 1/],
    [{ ...roberta, hidden_size: 15 }, /hidden_size: must be a multiple of num_attention_heads/],
    [{ ...xlm, vocab_size: 1e12 }, /vocab_size: .*expected number to be <=4194304/],
    [{ ...xlm, hidden_act: "swish" }, /hidden_act: "swish" is not known, expected gelu, /],
    [
      { ...modern, layer_types: ["chunked_attention"] },
      /layer_types\.0: "chunked_attention": this attention is not supp/,
    ],
    [{ ...modern, layer_types: [] }, /layer_types: has 0 entries, expected num_hidden_layers = 1/],
    [{ ...modern, rope_scaling: { rope_type: "longrope" } }, /rope_scaling\.rope_type: "longrope" is not supported/],
    [{ ...bert, model_type: "mpnet", relative_attention_num_buckets: 64 }, /buckets: 64 buckets are not supported/],
    [{ ...bert, model_type: "nomic_bert", num_experts: 8 }, /num_experts: 8: a mixture of experts is not supported/],
    [
      { ...bert, model_type: "nomic_bert", activation_function: "gelu" },
      /activation_function: "gelu": this activation/,
    ],
    [{ ...bert, model_type: "new", rope_scaling: { type: "ntk", factor: 8, mixed_b: 0.6 } }, /mixed_b: 0\.6: mixed/],
    [{ ...bert, model_type: "distilbert" }, /dim: /],
    [{ ...llama, model_type: "eurobert", rope_parameters: { partial_rotary_factor: 0.5 } }, /factor: 0\.5: turn/],
  ])("encoder %#", (config, message) => {
    expect(() => encoder(config)).toThrow(DataError);
    expect(() => encoder(config)).toThrow(message);
    expect(() => encoder(config)).toThrow(/^m[\\/]config\.json/);
  });

  it.each([
    [
      { ...qwen2, use_sliding_window: true },
      /\(qwen2\): use_sliding_window: true: attention over a sliding window is not/,
    ],
    [{ ...qwen2, layer_types: ["full_attention", "sliding_attention"] }, /layer_types\.1: "sliding_attention": /],
    [
      { ...qwen2, rope_scaling: { type: "su", factor: 4 } },
      /rope_scaling\.type: "su" is not supported, expected default/,
    ],
    [
      { ...llama, rope_parameters: { rope_type: "longrope" } },
      /rope_parameters\.rope_type: "longrope" is not supported/,
    ],
    [
      { ...qwen2, num_attention_heads: 2, num_key_value_heads: 3 },
      /num_attention_heads: must be a multiple of num_key_/,
    ],
    [
      { ...gemma, attn_logit_softcapping: 50 },
      /attn_logit_softcapping: 50: a cap of attention's scores is not supported/,
    ],
    [{ ...gemma, final_logit_softcapping: 30 }, /final_logit_softcapping: 30: a cap of logits is not supported/],
    [{ ...llama, model_type: "smollm3", use_sliding_window: true }, /use_sliding_window: true: /],
    [{ ...llama, model_type: "granite", logits_scaling: 0 }, /logits_scaling: /],
    [
      { ...llama, model_type: "qwen3", layer_types: ["sliding_attention"] },
      /sliding_window: is not given, but layer_types has sliding_attention/,
    ],
    [{ ...qwen2, head_dim: 5 }, /head_dim: a head's size.* must be even/],
    [{ ...qwen2, max_position_embeddings: 1e9 }, /max_position_embeddings: .*expected number to be <=4194304/],
  ])("decoder %#", (config, message) => {
    expect(() => decoder(config)).toThrow(DataError);
    expect(() => decoder(config)).toThrow(message);
  });

  it.each(["xlnet", "deberta-v2", "roberta-prelayernorm", "qwen3_5", undefined])("an unknown type: %s", (type) => {
    expect(() => encoder({ ...bert, model_type: type })).toThrow(UserError);
    expect(() => encoder({ ...bert, model_type: type })).toThrow(/bert, roberta, xlm-roberta/);
    expect(() => decoder({ ...llama, model_type: type })).toThrow(/llama, mistral, smollm, qwen2/);
  });

  it("a decoder where an encoder is expected, and the reverse", () => {
    expect(() => encoder(qwen2)).toThrow(/"qwen2", a decoder .*; an encoder/);
    expect(() => decoder(xlm)).toThrow(/"xlm-roberta", an encoder .*; a decoder/);
  });
});

describe("weights that are not what config.json says", () => {
  const match = (config: RawConfig, weights: Map<string, WeightTensor>): Map<string, WeightTensor> => {
    const parameters = new Parameters();
    sentenceVectors(encoder(config), parameters);
    return matchWeights(parameters, weights, "m", encoderArchitecture(config, "m").weightPrefixes);
  };
  const scalar = { shape: [1], data: new Float32Array(1) };

  it("a prefix and a head are passed over", () => {
    const weights = weightsOf(xlm, "roberta.").set("lm_head.dense.weight", scalar).set("pooler.dense.bias", scalar);
    expect([...match(xlm, weights).keys()]).toEqual([...weightsOf(xlm).keys()]);
  });

  it("LayerNorms may be named as TensorFlow names them: gamma and beta", () => {
    const renamed = new Map(
      [...weightsOf(bert, "bert.")].map(([name, weight]) => [
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"),
        weight,
      ]),
    );
    expect([...renamed.keys()]).toContain("bert.encoder.layer.0.output.LayerNorm.gamma");
    expect([...match(bert, renamed).keys()]).toEqual([...weightsOf(bert).keys()]);
  });

  it("a shape, a missing weight", () => {
    const wide = { ...xlm, intermediate_size: 10 };
    expect(() => match(wide, weightsOf(xlm, "roberta."))).toThrow(
      /encoder\.layer\.0\.intermediate\.dense\.weight has shape \[8, 16\], but config\.json asks for \[10, 16\]/,
    );
    // Positions of a BERT of as many tokens: two short.
    expect(() => match(xlm, weightsOf({ ...xlm, max_position_embeddings: 12 }))).toThrow(
      /position_embeddings\.weight has shape \[12, 16\], but config\.json asks for \[14, 16\]/,
    );
    const short = weightsOf(xlm);
    short.delete("encoder.layer.0.output.LayerNorm.bias");
    expect(() => match(xlm, short)).toThrow(/the weight encoder\.layer\.0\.output\.LayerNorm\.bias is missing/);
  });

  it("weights in the layers that the graph would leave out", () => {
    const normed = weightsOf(bert).set("encoder.layer.0.attention.self.layer_norm_q.weight", scalar);
    expect(() => match(bert, normed)).toThrow(DataError);
    expect(() => match(bert, normed)).toThrow(
      /m: 1 weights .*layer_norm_q\.weight, have no place in a model of its config/,
    );
    expect(() => match(bert, weightsOf({ ...bert, num_hidden_layers: 2 }))).toThrow(
      /16 weights .* encoder\.layer\.1\./,
    );
  });
});
