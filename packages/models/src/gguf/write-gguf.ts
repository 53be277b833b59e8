import { basename, join, resolve } from "node:path";
import { InternalError, type Reporter, UserError } from "@rag-ft/core";
import { z } from "zod";
import { readOptional } from "../checkpoint/read-optional.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import type { LoadedEncoder } from "../encoder/load-encoder.js";
import type { Pooling } from "../encoder/pooling.js";
import { type RawConfig, readConfig } from "../graph/config.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type GgufType, type GgufValue, writeGgufFile } from "./gguf-file.js";
import type { GgufForm } from "./gguf-form.js";
import { ggufFormOf } from "./gguf-forms.js";
import { ggufTensor } from "./gguf-tensors.js";
import { ggufVocabulary } from "./gguf-vocabulary.js";

/** Types that matrices can have in our GGUF files; vectors are in single precision. */
export type GgufPrecision = GgufType;

/** llama.cpp's numbers of them (`general.file_type`). */
const FILE_TYPE: Readonly<Record<GgufPrecision, number>> = { F32: 0, F16: 1, Q8_0: 7 };
/** Of the formats of quantised blocks. */
const QUANTIZATION_VERSION = 2;

/** llama.cpp's numbers of poolings. */
const POOLING: Partial<Record<Pooling, number>> = { mean: 1, cls: 2, lasttoken: 3 };

const ids = z.union([z.number().int(), z.array(z.number().int())]).nullish();
const endsSchema = z.looseObject({ eos_token_id: ids });

/** Ids that end an answer: of generation_config.json, else of config.json. */
async function answerEnds(folder: string, config: RawConfig): Promise<number[]> {
  const generation = await readOptional(join(folder, "generation_config.json"), endsSchema);
  const found = generation?.eos_token_id ?? endsSchema.safeParse(config).data?.eos_token_id;
  return found === undefined || found === null ? [] : [found].flat();
}

interface Source {
  folder: string;
  weights: ReadonlyMap<string, WeightTensor>;
  tokenizer: Tokenizer;
}

async function write(
  path: string,
  { folder, weights, tokenizer }: Source,
  {
    form,
    config,
    eosIds,
    more,
  }: { form: GgufForm; config: RawConfig; eosIds: readonly number[]; more: [string, GgufValue][] },
  precision: GgufPrecision,
  reporter: Reporter,
): Promise<void> {
  const size = Number(config.vocab_size);
  const vocabulary = await ggufVocabulary(folder, { size, tokenizer, eosIds });
  for (const warning of vocabulary.warnings) reporter.warn(`${path}: ${warning}`);
  const { architecture } = form;
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", { string: architecture }],
    ["general.type", { string: "model" }],
    ["general.name", { string: basename(resolve(folder)) }],
    ["general.file_type", { u32: FILE_TYPE[precision] }],
    ["general.quantization_version", { u32: QUANTIZATION_VERSION }],
    ...form.metadata.map(([key, value]) => [`${architecture}.${key}`, value] as const),
    ...more,
    [`${architecture}.vocab_size`, { u32: size }],
    ...vocabulary.metadata,
  ]);
  const tensors = [...weights].map(([weight, tensor]) => {
    const name = form.nameOf(weight);
    if (name === undefined) {
      throw new UserError(
        `${folder}: the weight ${weight} has no place in llama.cpp's ${architecture}. Export it as q8 instead.`,
      );
    }
    const change = form.changeOf?.(weight);
    const data = (): Float32Array => (change ? change(tensor.data, tensor.shape) : tensor.data);
    return ggufTensor(path, name, tensor.shape, precision, data);
  });
  for (const { name, data } of form.extra ?? [])
    tensors.push(ggufTensor(path, name, [data.length], precision, () => data));
  const twice = tensors.find(({ name }, i) => tensors.findIndex((other) => other.name === name) !== i);
  if (twice) throw new InternalError(`two weights of ${folder} are ${twice.name} in GGUF`);
  await writeGgufFile(path, metadata, tensors);
}

/**
 * Writes a decoder as a GGUF file that llama.cpp, and what is built on it, runs.
 *
 * @throws UserError when the architecture, a setting of its config or a part of its tokenizer is none that llama.cpp computes in the same way.
 */
export async function writeDecoderGguf(
  path: string,
  decoder: LoadedDecoder,
  precision: GgufPrecision,
  reporter: Reporter,
): Promise<void> {
  const config = await readConfig(decoder.folder);
  const eosIds = await answerEnds(decoder.folder, config);
  await write(
    path,
    decoder,
    { form: ggufFormOf(config, decoder.folder), config, eosIds, more: [] },
    precision,
    reporter,
  );
}

/**
 * Writes an encoder so; llama.cpp pools as its settings say. Prefixes of questions and passages are the caller's, and `truncate_dim` is.
 *
 * @throws UserError as `writeDecoderGguf`, and for poolings and Dense modules that GGUF does not have.
 */
export async function writeEncoderGguf(
  path: string,
  encoder: LoadedEncoder,
  precision: GgufPrecision,
  reporter: Reporter,
): Promise<void> {
  const { folder, settings, graph } = encoder;
  const config = await readConfig(folder);
  const form = ggufFormOf(config, folder);
  const pooling = POOLING[settings.pooling];
  if (pooling === undefined) {
    throw new UserError(
      `${folder}: its pooling is ${settings.pooling}, which llama.cpp does not have; known: ${Object.keys(POOLING).join(", ")}. Export it as q8 instead.`,
    );
  }
  if ((graph.head?.dense ?? []).length > 0) {
    throw new UserError(`${folder}: its Dense modules have no place in a GGUF file of ours. Export it as q8 instead.`);
  }
  const { query_prefix: query, passage_prefix: passage, truncate_dim: truncate } = settings;
  if (query !== "" || passage !== "") {
    reporter.info(
      `${path}: give it texts with their prefixes: ${JSON.stringify(query)} before questions, ${JSON.stringify(passage)} before passages.`,
    );
  }
  if (truncate !== undefined) reporter.warn(`${path}: its vectors are whole: cut them to ${truncate} entries.`);
  const more: [string, GgufValue][] = [[`${form.architecture}.pooling_type`, { u32: pooling }]];
  if (config.model_type === "bert") {
    more.push(["tokenizer.ggml.token_type_count", { u32: Number(config.type_vocab_size ?? 2) }]);
  }
  await write(path, encoder, { form, config, eosIds: [], more }, precision, reporter);
}
