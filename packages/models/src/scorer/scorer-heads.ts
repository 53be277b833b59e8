import { linear, type Value } from "@rag-ft/onnx";
import { z } from "zod";
import { parseConfig, type RawConfig } from "../graph/config.js";
import type { Parameters } from "../graph/parameters.js";
import type { WholeModules } from "../lora/write-adapter.js";
import { ACTIVATIONS, type Activation, activationSchema } from "../parts/activations.js";
import { layerNorms } from "../parts/norms.js";
import type { Pooled } from "../parts/pooled.js";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** What a head reads of the encoder. */
export interface HeadInputs {
  /** One hidden state of each text, [batch, hidden]. */
  state(kind: Pooled): Value;
  labels: number;
}

/** A classification head of transformers, for models of a type. */
export interface ScorerHead {
  /** Before the names of the encoder's weights. */
  prefix: string;
  /** Name of the layer that gives the logits. */
  last: string;
  /** Whether it reads the last token alone: then the model below is a decoder, which has an output layer of its own, too. */
  isOfDecoder: boolean;
  /** Logits [batch, labels]. */
  logits(parameters: Parameters, inputs: HeadInputs): Value;
}

interface Layer {
  name: string;
  size: number;
  bias?: boolean;
}

/** A layer that adapters leave alone. */
function layer(parameters: Parameters, x: Value, { name, size, bias = true }: Layer): Value {
  const weight = parameters.get(`${name}.weight`, [size, x.shape[1] as number]);
  return linear(x, weight, bias ? parameters.get(`${name}.bias`, [size]) : undefined);
}

/** A pooled hidden state, perhaps a layer with an activation, and one that gives the logits. */
function head(
  prefix: string,
  last: string,
  {
    pooling = "first",
    first,
    activation = "tanh",
    bias,
  }: { pooling?: Pooled; first?: string; activation?: Activation; bias?: boolean },
): ScorerHead {
  return {
    prefix,
    last,
    isOfDecoder: pooling === "last",
    logits(parameters, { state, labels }) {
      const x = state(pooling);
      const inner = first
        ? ACTIVATIONS[activation](layer(parameters, x, { name: first, size: x.shape[1] as number }))
        : x;
      return layer(parameters, inner, { name: last, size: labels, ...(bias === undefined ? {} : { bias }) });
    },
  };
}

const modernBertHead = z.looseObject({
  classifier_pooling: z
    .enum(["cls", "mean"], { error: ({ input }) => `${JSON.stringify(input)} is not known, expected cls or mean` })
    .default("cls"),
  classifier_bias: z.boolean().default(false),
  classifier_activation: activationSchema.default("gelu"),
  norm_eps: z.number().positive().default(1e-5),
  norm_bias: z.boolean().default(false),
});

function modernBert(raw: RawConfig, folder: string): ScorerHead {
  const config = parseConfig(modernBertHead, raw, folder);
  return {
    prefix: "model.",
    last: "classifier",
    isOfDecoder: false,
    logits(parameters, { state, labels }) {
      const x = state(config.classifier_pooling === "cls" ? "first" : "mean");
      const size = x.shape[1] as number;
      const dense = layer(parameters, x, { name: "head.dense", size, bias: config.classifier_bias });
      const norm = layerNorms(parameters, config.norm_eps, { bias: config.norm_bias });
      const normal = norm(ACTIVATIONS[config.classifier_activation](dense), "head.norm", size);
      return layer(parameters, normal, { name: "classifier", size: labels });
    },
  };
}

const roberta = head("roberta.", "classifier.out_proj", { first: "classifier.dense" });

/** Heads by `model_type`. */
export const SCORER_HEADS: Readonly<Record<string, (raw: RawConfig, folder: string) => ScorerHead>> = {
  bert: () => head("bert.", "classifier", { first: "bert.pooler.dense" }),
  roberta: () => roberta,
  "xlm-roberta": () => roberta,
  modernbert: modernBert,
  distilbert: () => head("distilbert.", "classifier", { first: "pre_classifier", activation: "relu" }),
  mpnet: () => head("mpnet.", "classifier.out_proj", { first: "classifier.dense" }),
  gte: () => head("gte.", "classifier", { first: "gte.pooler.dense" }),
  new: () => head("new.", "classifier", { first: "new.pooler.dense" }),
  qwen3: () => head("model.", "score", { pooling: "last", bias: false }),
};

/** Modules of heads; a pooler is among the encoder's modules. */
const HEAD_MODULE = /^(classifier|pre_classifier|score|head|pooler)$/;

/** The modules of a reranker's head and their weights: what PEFT keeps whole beside adapters. */
export function headModules({
  head: { prefix },
  weights,
}: {
  head: ScorerHead;
  weights: ReadonlyMap<string, WeightTensor>;
}): WholeModules {
  const names = new Set<string>();
  const found = new Map<string, WeightTensor>();
  for (const [name, weight] of weights) {
    const [module = ""] = (name.startsWith(prefix) ? name.slice(prefix.length) : name).split(".");
    if (!HEAD_MODULE.test(module)) continue;
    names.add(module);
    found.set(name, weight);
  }
  return { names: [...names], weights: found };
}
