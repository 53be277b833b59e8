import { UserError } from "@rag-ft/core";
import { bertConfigSchema } from "../bert/bert-config.js";
import { gemma3ConfigSchema } from "../gemma3/gemma3-config.js";
import { gemma3Stack } from "../gemma3/index.js";
import { parseConfig, type RawConfig } from "../graph/config.js";
import { llamaConfigSchema } from "../llama/llama-config.js";
import { llamaStack } from "../llama/llama-stack.js";
import type { Stack } from "../parts/stack.js";
import { qwen2ConfigSchema } from "../qwen2/qwen2-config.js";
import { qwen3Stack } from "../qwen3/index.js";
import { qwen3ConfigSchema } from "../qwen3/qwen3-config.js";
import { bertGgufForm } from "./bert-form.js";
import type { GgufValue } from "./gguf-file.js";
import type { GgufForm } from "./gguf-form.js";
import { type Refuse, refuser, stackForm } from "./stack-form.js";

const QUERY_KEY_VALUE = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
const FEED_FORWARD = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

function llamaForm(raw: RawConfig, folder: string): GgufForm {
  const config = parseConfig(llamaConfigSchema, raw, folder);
  const stack = llamaStack(config);
  const kind = {
    architecture: "llama",
    activations: ["silu" as const],
    biases: [...QUERY_KEY_VALUE, "self_attn.o_proj", ...FEED_FORWARD],
    neighbours: true,
    frequencies: true,
  };
  // Mistral's window is not known there: within it, all is the same.
  const window = raw.model_type === "mistral" ? (config.sliding_window ?? Number.POSITIVE_INFINITY) : stack.positions;
  const form = stackForm(stack, kind, refuser(folder, "llama"));
  const metadata = form.metadata.map(([key, value]): [string, GgufValue] =>
    key === "context_length" ? [key, { u32: Math.min(stack.positions, window) }] : [key, value],
  );
  return { ...form, metadata };
}

function qwen2Form(raw: RawConfig, folder: string): GgufForm {
  const stack = llamaStack(parseConfig(qwen2ConfigSchema, raw, folder));
  const kind = { architecture: "qwen2", activations: ["silu" as const], biases: QUERY_KEY_VALUE };
  return stackForm(stack, kind, refuser(folder, "qwen2"));
}

function qwen3Form(raw: RawConfig, folder: string): GgufForm {
  const stack = qwen3Stack(parseConfig(qwen3ConfigSchema, raw, folder));
  const refuse = refuser(folder, "qwen3");
  if (windowed(stack).length > 0) refuse("layers with a sliding window", "full attention in all");
  return stackForm(stack, { architecture: "qwen3", activations: ["silu"], biases: [] }, refuse);
}

/** Layers with a window. */
function windowed(stack: Stack): number[] {
  return Array.from({ length: stack.layers }, (_, layer) => layer).filter(
    (layer) => stack.window?.(layer) !== undefined,
  );
}

/** Gemma 3's windows: all but every n-th layer, n as `sliding_window_pattern`. */
function windowsOf(stack: Stack, refuse: Refuse): [string, GgufValue][] {
  const sliding = windowed(stack);
  const [layer] = sliding;
  if (layer === undefined) return [];
  const isSliding = new Set(sliding);
  const first = Array.from({ length: stack.layers }, (_, i) => i).find((i) => !isSliding.has(i));
  const pattern = (first ?? stack.layers) + 1;
  for (let i = 0; i < stack.layers; i++) {
    if (isSliding.has(i) !== i % pattern < pattern - 1) {
      refuse("windows in another order", "one layer without a window after so many with one");
    }
  }
  const local = stack.rotary(layer);
  const type = local?.scaling?.rope_type ?? local?.scaling?.type ?? "default";
  if (type !== "default") refuse(`scaled positions (${type}) in layers with a window`, "plain ones there");
  return [
    ["attention.sliding_window", { u32: stack.window?.(layer) ?? 0 }],
    ["attention.sliding_window_pattern", { u32: pattern }],
    ["rope.freq_base_swa", { f32: local?.theta ?? 10_000 }],
  ];
}

/** Layers of Gemma 3 27B, whose scores are scaled by its width there. */
const LAYERS_27B = 62;

function gemma3Form(raw: RawConfig, folder: string): GgufForm {
  const config = parseConfig(gemma3ConfigSchema, raw, folder);
  const refuse = refuser(folder, "gemma3");
  if (config.use_bidirectional_attention) refuse("use_bidirectional_attention", "causal attention");
  if (!config.tie_word_embeddings) refuse("tie_word_embeddings false", "the embeddings as its head");
  const stack = gemma3Stack(config);
  const expected = stack.layers === LAYERS_27B ? stack.hidden / stack.heads : stack.size;
  if (config.query_pre_attn_scalar !== expected) {
    refuse(`query_pre_attn_scalar ${config.query_pre_attn_scalar}`, `${expected} for a model of this size`);
  }
  const kind = { architecture: "gemma3", activations: ["gelu_pytorch_tanh", "gelu_new"] as const, biases: [] };
  const form = stackForm(stack, kind, refuse);
  return { ...form, metadata: [...form.metadata, ...windowsOf(stack, refuse)] };
}

const FORMS: Readonly<Record<string, (raw: RawConfig, folder: string) => GgufForm>> = {
  llama: llamaForm,
  smollm: llamaForm,
  mistral: llamaForm,
  qwen2: qwen2Form,
  qwen3: qwen3Form,
  gemma3_text: gemma3Form,
  bert: (raw, folder) => bertGgufForm(parseConfig(bertConfigSchema, raw, folder), refuser(folder, "bert")),
};

/** A model as llama.cpp has it. */
export function ggufFormOf(raw: RawConfig, folder: string): GgufForm {
  const read = FORMS[String(raw.model_type)];
  if (read) return read(raw, folder);
  throw new UserError(
    `${folder}: model_type is ${JSON.stringify(raw.model_type)}, which is not written as GGUF; known: ${Object.keys(FORMS).join(", ")}. Export it as q8 instead.`,
  );
}
