import { UserError } from "@rag-ft/core";
import { bert } from "../bert/index.js";
import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { distilbert } from "../distilbert/index.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { eurobert } from "../eurobert/index.js";
import { gemma3, gemma3Encoder } from "../gemma3/index.js";
import { granite } from "../granite/index.js";
import { llama } from "../llama/index.js";
import { modernBert } from "../modernbert/index.js";
import { mpnet } from "../mpnet/index.js";
import { qwen2 } from "../qwen2/index.js";
import { qwen3, qwen3Encoder } from "../qwen3/index.js";
import { roberta } from "../roberta/index.js";
import { gte, jinaV3, nomicBert } from "../rotary-bert/index.js";
import { smollm3 } from "../smollm3/index.js";
import type { RawConfig } from "./config.js";

const encoders: readonly EncoderArchitecture[] = [
  bert,
  roberta,
  qwen3Encoder,
  modernBert,
  gemma3Encoder,
  eurobert,
  mpnet,
  nomicBert,
  gte,
  jinaV3,
  distilbert,
];
const decoders: readonly DecoderArchitecture[] = [llama, qwen2, qwen3, gemma3, smollm3, granite];

function find<T extends { modelTypes: readonly string[] }>(
  known: readonly T[],
  others: readonly { modelTypes: readonly string[] }[],
  config: RawConfig,
  folder: string,
  [wanted, other]: readonly [string, string],
): T {
  const type = String(config.model_type);
  const found = known.find((architecture) => architecture.modelTypes.includes(type));
  if (found) return found;
  const names = known.flatMap((architecture) => architecture.modelTypes).join(", ");
  if (others.some((architecture) => architecture.modelTypes.includes(type))) {
    throw new UserError(`${folder}: model_type is "${type}", ${other}; ${wanted} (${names}) is expected here.`);
  }
  const what = typeof config.model_type === "string" ? `model_type is "${type}"` : "config.json names no model_type";
  throw new UserError(`${folder}: ${what}; ${wanted} of one of these types is expected: ${names}.`);
}

/** The encoder architecture of a config, among `more` and those that are here. */
export function encoderArchitecture(
  config: RawConfig,
  folder: string,
  more: readonly EncoderArchitecture[] = [],
): EncoderArchitecture {
  return find([...more, ...encoders], decoders, config, folder, [
    "an encoder (embedding model)",
    "a decoder (language model)",
  ]);
}

/** The decoder architecture of a config, among `more` and those that are here. */
export function decoderArchitecture(
  config: RawConfig,
  folder: string,
  more: readonly DecoderArchitecture[] = [],
): DecoderArchitecture {
  return find([...more, ...decoders], encoders, config, folder, [
    "a decoder (language model)",
    "an encoder (embedding model)",
  ]);
}

/** What a model of this config can be, by its `model_type`. */
export function knownUses({ model_type: type }: RawConfig): { encoder: boolean; decoder: boolean } {
  const has = (known: readonly { modelTypes: readonly string[] }[]): boolean =>
    known.some(({ modelTypes }) => modelTypes.includes(String(type)));
  return { encoder: has(encoders), decoder: has(decoders) };
}
