import { join } from "node:path";
import { createRandom, UserError } from "@rag-ft/core";
import { input, type Value } from "@rag-ft/onnx";
import { z } from "zod";
import { readOptional } from "../checkpoint/read-optional.js";
import type { EncoderArchitecture, EncoderGraph, EncoderInputs } from "../encoder/encoder-architecture.js";
import type { LoadOptions } from "../encoder/load-encoder.js";
import { encoderArchitecture } from "../graph/architectures.js";
import { parseConfig, type RawConfig, readConfig } from "../graph/config.js";
import { matchWeights, Parameters } from "../graph/parameters.js";
import { resolveModelFolder } from "../hub/resolve-model-folder.js";
import { layoutOf } from "../parts/heads.js";
import { pooled } from "../parts/pooled.js";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import type { PairTruncation } from "../tokenizer/pair-tokens.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { withinVocabulary } from "../tokenizer/within-vocabulary.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightReader } from "../weights/restore-weights.js";
import { elementCount, type WeightTensor } from "../weights/weight-tensor.js";
import {
  type AnswerTokens,
  loadPairFormat,
  ownPairFormat,
  type PairFormat,
  readAnswerTokens,
  wordsYesAndNo,
} from "./pair-format.js";
import { SCORER_HEADS, type ScorerHead } from "./scorer-heads.js";

/** Longest pair in tokens when neither model nor user says otherwise. */
const DEFAULT_MAX_LENGTH = 512;

export interface ScorerOptions extends LoadOptions {
  /** Longest pair in tokens; default what the tokenizer says, at most 512. */
  maxLength?: number;
  /** Makes a head of one label, by this seed, where the model has none: to train a reranker from an encoder. */
  newHead?: number;
  /** What is cut of a pair that is too long; default `longest_first`. */
  truncation?: PairTruncation;
}

/** A model that gives a pair of texts a score: an encoder of both together with a classification head. */
export interface LoadedScorer {
  folder: string;
  architecture: EncoderArchitecture;
  /** The encoder below the head. */
  body: EncoderGraph;
  head: ScorerHead;
  /** Logits of a pair. */
  labels: number;
  /** Whether a score is the logit's sigmoid, as CrossEncoder of sentence-transformers has it for this model. */
  sigmoid: boolean;
  /** Longest pair in tokens. */
  maxLength: number;
  truncation: PairTruncation;
  /** How a decoder is asked; undefined for models that take two texts. */
  pairFormat: PairFormat | undefined;
  /** Whether its head was made anew, as the folder has none: its scores mean nothing before training. */
  isHeadNew: boolean;
  /** By Hugging Face's names, exactly those that the graph reads. */
  weights: Map<string, WeightTensor>;
  /** Reads such weights from this folder, or from one of a checkpoint. */
  readWeights: WeightReader;
  tokenizer: Tokenizer;
}

const labelsSchema = z.looseObject({
  num_labels: z.number().int().positive().optional(),
  id2label: z.record(z.string(), z.string()).nullish(),
  sentence_transformers: z.looseObject({ activation_fn: z.string().optional() }).optional(),
  sbert_ce_default_activation_function: z.string().nullish(),
});

const activationSchema = z.looseObject({ activation_fn: z.string().nullish() });

/** Activations of scores, by PyTorch's names; true where it is the sigmoid. */
const SCORE_ACTIVATIONS: Readonly<Record<string, boolean>> = { Sigmoid: true, Identity: false };

async function isSigmoid(config: z.infer<typeof labelsSchema>, labels: number, folder: string): Promise<boolean> {
  const beside = await readOptional(join(folder, "config_sentence_transformers.json"), activationSchema);
  const named =
    beside?.activation_fn ?? config.sentence_transformers?.activation_fn ?? config.sbert_ce_default_activation_function;
  if (!named) return labels === 1;
  const known = SCORE_ACTIVATIONS[named.split(".").at(-1) ?? ""];
  if (known === undefined) {
    throw new UserError(
      `${folder}: activation_fn ${JSON.stringify(named)} is not supported, expected torch's Sigmoid or Identity.`,
    );
  }
  return known;
}

function headOf(config: RawConfig, folder: string): ScorerHead {
  const type = String(config.model_type);
  const make = SCORER_HEADS[type];
  if (make) return make(config, folder);
  throw new UserError(
    `${folder}: model_type is "${type}", whose classification head is not known; a reranker of one of these types is expected: ` +
      `${Object.keys(SCORER_HEADS).join(", ")}.`,
  );
}

/** Logits [batch, labels] of a scorer's graph; its inputs are as given, or `ids`, `mask` and `types`. */
export function pairLogits(
  { body, head, labels, architecture }: Pick<LoadedScorer, "body" | "head" | "labels" | "architecture">,
  parameters: Parameters,
  given?: EncoderInputs,
): Value {
  const batched = ["batch", "tokens"];
  const inputs: EncoderInputs = given ?? {
    ids: input("ids", "int64", batched),
    mask: input("mask", "int64", batched),
    ...(architecture.hasTokenTypes ? { tokenTypes: input("types", "int64", batched) } : {}),
  };
  const ofBody = parameters.under(head.prefix);
  return head.logits(parameters, {
    labels,
    state: (kind) =>
      kind === "first" && body.firstStates
        ? body.firstStates(ofBody, inputs)
        : pooled(kind, body.hiddenStates(ofBody, inputs), inputs.mask, layoutOf(inputs.ids)),
  });
}

/** A head's weights where there are none: as transformers makes them, normal with a deviation of 0.02, biases 0 and scales of norms 1. */
function newWeights(
  parameters: Parameters,
  known: ReadonlyMap<string, WeightTensor>,
  prefix: string,
  seed: number,
): Map<string, WeightTensor> {
  const random = createRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const made = new Map(known);
  for (const [name, { shape }] of parameters.entries()) {
    if (made.has(name) || (name.startsWith(prefix) && made.has(name.slice(prefix.length)))) continue;
    if (name.startsWith(prefix) && !name.startsWith(`${prefix}pooler.`)) continue;
    const sizes = shape.map(Number);
    const data = new Float32Array(elementCount(sizes)).fill(name.endsWith("norm.weight") ? 1 : 0);
    made.set(name, { shape: sizes, data: sizes.length === 2 ? data.map(() => 0.02 * normal()) : data });
  }
  return made;
}

/**
 * The head that gives the logit of one token less that of another: a difference of two rows of the decoder's output layer (which may be its embeddings), so that
 * the model is one with a head of one label from here on.
 */
function asHead(
  weights: Map<string, WeightTensor>,
  { yes, no }: AnswerTokens,
  name: string,
  folder: string,
): Map<string, WeightTensor> {
  const rows = ["lm_head.weight", "model.embed_tokens.weight", "embed_tokens.weight"]
    .map((one) => weights.get(one))
    .find((weight) => weight !== undefined);
  const [count = 0, size = 0] = rows?.shape ?? [];
  if (rows === undefined || Math.max(yes, no ?? 0) >= count)
    throw new UserError(
      `${folder}: its LogitScore names token ${Math.max(yes, no ?? 0)}, of which its output layer has no row.`,
    );
  const row = (token: number): Float32Array => rows.data.subarray(token * size, (token + 1) * size) as Float32Array;
  const less = no === undefined ? undefined : row(no);
  const data = Float32Array.from(row(yes), (value, i) => value - (less?.[i] ?? 0));
  const made = new Map(weights).set(`${name}.weight`, { shape: [1, size], data });
  made.delete("lm_head.weight");
  return made;
}

/**
 * Loads a reranker from a folder or hub id. A decoder that answers yes or no (Qwen3-Reranker, in the form of sentence-transformers' LogitScore; any decoder where a head is to be made) becomes
 * one with a head of one label, whose logit is the same.
 *
 * @throws UserError when the model has no head, or is of a type whose head is not known.
 */
export async function loadScorer(nameOrFolder: string, options: ScorerOptions): Promise<LoadedScorer> {
  const folder = await resolveModelFolder(nameOrFolder, { ...options, files: "all" });
  const config = await readConfig(folder);
  const head = headOf(config, folder);
  const architecture = encoderArchitecture(config, folder);
  const body = architecture.read(config, folder);
  const stated = parseConfig(labelsSchema, config, folder);
  const tokenizer = withinVocabulary(await loadTokenizer(folder), Number(config.vocab_size), folder);
  const stored = await loadWeights(folder);
  const answer = stored.has(`${head.last}.weight`)
    ? undefined
    : ((await readAnswerTokens(folder)) ??
      (head.isOfDecoder && options.newHead !== undefined ? wordsYesAndNo(tokenizer) : undefined));
  const withAnswer = (found: Map<string, WeightTensor>): Map<string, WeightTensor> =>
    answer === undefined ? found : asHead(found, answer, head.last, folder);
  const own = withAnswer(stored);
  const lacksHead = !own.has(`${head.last}.weight`);
  if (lacksHead && options.newHead === undefined) {
    throw new UserError(
      `${folder}: no weight ${head.last}.weight among the ${own.size} of its safetensors: a model without a classification head is no reranker. ` +
        "Give one that has it, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
    );
  }
  const listed = stated.id2label ? Object.keys(stated.id2label).length : undefined;
  const labels = lacksHead ? 1 : (stated.num_labels ?? listed ?? own.get(`${head.last}.weight`)?.shape[0] ?? 1);
  const parameters = new Parameters();
  pairLogits({ body, head, labels, architecture }, parameters);
  const read = (weights: ReadonlyMap<string, WeightTensor>, from: string): Map<string, WeightTensor> =>
    matchWeights(parameters, renamed(architecture, head.prefix, weights), from);
  const maxLength =
    options.maxLength ?? Math.min(tokenizer.modelMaxLength ?? DEFAULT_MAX_LENGTH, DEFAULT_MAX_LENGTH, body.maxTokens);
  if (maxLength > body.maxTokens) {
    throw new UserError(`${folder}: max_length is ${maxLength}, but the model takes at most ${body.maxTokens} tokens.`);
  }
  const complete = (found: ReadonlyMap<string, WeightTensor>): ReadonlyMap<string, WeightTensor> =>
    lacksHead
      ? newWeights(parameters, renamed(architecture, head.prefix, found), head.prefix, options.newHead ?? 0)
      : found;
  return {
    folder,
    architecture,
    body,
    head,
    labels,
    sigmoid: await isSigmoid(stated, labels, folder),
    maxLength,
    truncation: options.truncation ?? "longest_first",
    pairFormat: (await loadPairFormat(folder)) ?? (answer === undefined ? undefined : ownPairFormat(tokenizer, folder)),
    isHeadNew: lacksHead,
    weights: read(complete(own), folder),
    // Of this folder with the same new head; a checkpoint has one.
    async readWeights(from) {
      const found = await loadWeights(from);
      return read(from === folder ? complete(withAnswer(found)) : found, from);
    },
    tokenizer,
  };
}

/** The weights by the graph's names, the encoder's with the prefix. */
function renamed(
  architecture: EncoderArchitecture,
  prefix: string,
  weights: ReadonlyMap<string, WeightTensor>,
): Map<string, WeightTensor> {
  const ours = architecture.rename?.(weights) ?? new Map(weights);
  const isPrefixed = [...ours.keys()].some((name) => name.startsWith(prefix));
  return isPrefixed
    ? ours
    : new Map([...ours].map(([name, weight]) => [isOfHead(name) ? name : prefix + name, weight]));
}

const isOfHead = (name: string): boolean => /^(classifier|pre_classifier|score|head)\./.test(name);
