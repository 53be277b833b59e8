import { UserError } from "@rag-ft/core";
import type { Activation } from "../parts/activations.js";
import { rotaryFrequencies } from "../parts/rotary-tables.js";
import type { Stack } from "../parts/stack.js";
import type { GgufValue } from "./gguf-file.js";
import type { Change, GgufForm } from "./gguf-form.js";

/** Refuses what llama.cpp would compute otherwise. */
export type Refuse = (found: string, known: string) => never;

/** The refusal of what a config asks for. */
export function refuser(folder: string, architecture: string): Refuse {
  return (found, known) => {
    throw new UserError(
      `${folder}: config.json has ${found}, but llama.cpp's ${architecture} has ${known}. Export it as q8 instead.`,
    );
  };
}

/** What llama.cpp's architectures of Llama's form have, in what they differ. */
export interface StackKind {
  architecture: string;
  activations: readonly Activation[];
  /** Modules of a layer that may have a bias. */
  biases: readonly string[];
  /** Pairs that rotary positions turn are neighbours, not halves: rows of queries and keys change places. */
  neighbours?: boolean;
  /** `rope_freqs` are read: Llama 3's positions. */
  frequencies?: boolean;
}

const MODULES: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** With norms after each part, as Gemma has them. */
const MODULES_NORMED_AFTER: Readonly<Record<string, string>> = {
  ...MODULES,
  post_attention_layernorm: "post_attention_norm",
  pre_feedforward_layernorm: "ffn_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};

const TOP: Readonly<Record<string, string>> = {
  "embed_tokens.weight": "token_embd.weight",
  "norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
};

/** Rows of each head from halves (first of all pairs, then second of all) to neighbours. */
function neighbouring(size: number): Change {
  return (data, [rows = 0, columns = 1]) => {
    const changed = new Float32Array(data.length);
    const half = size / 2;
    for (let row = 0; row < rows; row++) {
      const inHead = row % size;
      const to = row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
      changed.set(data.subarray(row * columns, (row + 1) * columns), to * columns);
    }
    return changed;
  };
}

/** Positions: the base, and scaling where there is one. */
function rotaryOf(stack: Stack, kind: StackKind, refuse: Refuse): Pick<GgufForm, "metadata" | "extra"> {
  const layers = Array.from({ length: stack.layers }, (_, layer) => layer);
  const global = layers.find((layer) => stack.window?.(layer) === undefined) ?? 0;
  const rotary = stack.rotary(global);
  if (!rotary) return refuse("layers without positions", "rotary positions in each");
  const { scaling, size, theta, positions } = rotary;
  const metadata: [string, GgufValue][] = [
    ["rope.freq_base", { f32: theta }],
    ["rope.dimension_count", { u32: size }],
  ];
  const type = scaling?.rope_type ?? scaling?.type ?? "default";
  if (type === "linear") {
    metadata.push(["rope.scaling.type", { string: "linear" }], ["rope.scaling.factor", { f32: scaling?.factor ?? 1 }]);
  } else if (type === "llama3") {
    if (!kind.frequencies) return refuse("rope_type llama3", "none, linear or yarn");
    const plain = rotaryFrequencies({ ...rotary, scaling: null }).inverse;
    const scaled = rotaryFrequencies(rotary).inverse;
    return {
      metadata,
      extra: [{ name: "rope_freqs.weight", data: Float32Array.from(plain, (f, i) => f / (scaled[i] as number)) }],
    };
  } else if (type === "yarn" && scaling) {
    const {
      attention_factor,
      mscale,
      truncate,
      beta_fast,
      beta_slow,
      original_max_position_embeddings: original,
    } = scaling;
    if (attention_factor || mscale || truncate === false) {
      return refuse("yarn with attention_factor, mscale or truncate", "yarn without them");
    }
    metadata.push(
      ["rope.scaling.type", { string: "yarn" }],
      ["rope.scaling.factor", { f32: scaling.factor ?? 1 }],
      ["rope.scaling.original_context_length", { u32: original ?? positions }],
      ["rope.scaling.yarn_beta_fast", { f32: beta_fast || 32 }],
      ["rope.scaling.yarn_beta_slow", { f32: beta_slow || 1 }],
    );
  }
  return { metadata };
}

/** A model of Llama's form as GGUF has it. */
export function stackForm(stack: Stack, kind: StackKind, refuse: Refuse): GgufForm {
  const { architecture, activations, biases } = kind;
  if (!activations.includes(stack.activation)) {
    return refuse(`the activation ${stack.activation}`, activations.join(" or "));
  }
  const rotary = rotaryOf(stack, kind, refuse);
  const modules = stack.normsAfter ? MODULES_NORMED_AFTER : MODULES;
  const u32 = (key: string, value: number): [string, GgufValue] => [key, { u32: value }];
  const own = (name: string): [layer: string, module: string, part: string] | undefined => {
    const match = /^layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name);
    return match ? [match[1] as string, match[2] as string, match[3] as string] : undefined;
  };
  const bare = (weight: string): string => weight.replace(/^model\./, "");
  const turned = neighbouring(stack.size);
  return {
    architecture,
    metadata: [
      u32("context_length", stack.positions),
      u32("embedding_length", stack.hidden),
      u32("block_count", stack.layers),
      u32("feed_forward_length", stack.inner),
      u32("attention.head_count", stack.heads),
      u32("attention.head_count_kv", stack.groups),
      u32("attention.key_length", stack.size),
      u32("attention.value_length", stack.size),
      ["attention.layer_norm_rms_epsilon", { f32: stack.epsilon }],
      ...rotary.metadata,
    ],
    ...(rotary.extra ? { extra: rotary.extra } : {}),
    nameOf(weight) {
      const parts = own(bare(weight));
      if (!parts) return TOP[bare(weight)];
      const [layer, module, part] = parts;
      const name = modules[module];
      if (name === undefined || (part === "bias" && !biases.includes(module))) return undefined;
      return `blk.${layer}.${name}.${part}`;
    },
    changeOf(weight) {
      if (stack.normsOnePlus && weight.endsWith("norm.weight")) return (data) => data.map((value) => value + 1);
      return kind.neighbours && /self_attn\.[qk]_proj\./.test(weight) ? turned : undefined;
    },
  };
}
