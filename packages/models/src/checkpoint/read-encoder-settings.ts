import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { z } from "zod";
import { POOLINGS } from "../encoder/pooling.js";
import type { DenseLayer } from "../encoder/sentence-head.js";
import { readDenseConfig } from "./dense-files.js";
import { readOptional } from "./read-optional.js";
import type { SavedEncoderSettings } from "./saved-encoder-settings.js";

const modulesSchema = z.array(z.object({ path: z.string(), type: z.string() }));

/** Sentence-transformers to version 5 writes one flag a mode, version 6 the mode's name (or several). */
const poolingSchema = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  include_prompt: z.boolean().optional(),
});

const promptsSchema = z.object({
  prompts: z.record(z.string(), z.string()).nullish(),
  similarity_fn_name: z.string().nullish(),
  default_prompt_name: z.string().nullish(),
  truncate_dim: z.number().int().positive().nullish(),
});

const lengthSchema = z.object({ max_seq_length: z.number().int().positive().nullish() });

interface Modules {
  poolingPath: string;
  densePaths: string[];
  /** Undefined when there is no modules.json, which says nothing either way. */
  normalizes: boolean | undefined;
}

/** The chain must be transformer, pooling, perhaps dense layers and normalising: anything else would make other vectors than ours. */
async function readModules(folder: string): Promise<Modules> {
  const path = join(folder, "modules.json");
  const modules = await readOptional(path, modulesSchema);
  if (modules === undefined) return { poolingPath: "1_Pooling", densePaths: [], normalizes: undefined };
  const result: Modules = { poolingPath: "1_Pooling", densePaths: [], normalizes: false };
  let pooled = false;
  for (const { path: subfolder, type } of modules) {
    const kind = type.split(".").at(-1);
    if (kind === "Dense" && (!pooled || result.normalizes)) {
      throw new UserError(
        `${path}: Dense at ${subfolder} is not supported there, expected after Pooling and before Normalize.`,
      );
    }
    if (kind === "Transformer") {
      if (subfolder !== "") {
        throw new UserError(
          `${path}: the transformer is in the subfolder ${subfolder}. Give ${join(folder, subfolder)} as the model, with ` +
            "the pooling as a setting.",
        );
      }
    } else if (kind === "Pooling") {
      result.poolingPath = subfolder;
      pooled = true;
    } else if (kind === "Dense") result.densePaths.push(subfolder);
    else if (kind === "Normalize") result.normalizes = true;
    else {
      throw new UserError(
        `${path}: module ${type} is not supported, expected Transformer, Pooling and perhaps Dense and Normalize.`,
      );
    }
  }
  return result;
}

async function readPooling(folder: string, subfolder: string): Promise<SavedEncoderSettings["pooling"] | undefined> {
  const path = join(folder, subfolder, "config.json");
  const config = await readOptional(path, poolingSchema);
  if (config === undefined) return undefined;
  const named = config.pooling_mode === undefined ? [] : [config.pooling_mode].flat();
  const flagged = Object.keys(config)
    .filter((key) => key.startsWith("pooling_mode_") && config[key] === true)
    .map((key) => key.slice("pooling_mode_".length).replace(/_tokens?$/, ""));
  const modes = named.length > 0 ? named : flagged;
  const [mode] = modes;
  const known = POOLINGS.find((pooling) => pooling === mode);
  if (modes.length !== 1 || known === undefined) {
    throw new UserError(
      `${path}: pooling ${modes.join(" and ") || "none"} is not supported, expected one of ${POOLINGS.join(", ")}. Choose another encoder.`,
    );
  }
  if (config.include_prompt === false) {
    throw new UserError(`${path}: include_prompt false (prefix left out of the mean) is not supported.`);
  }
  return known;
}

function similarityOf(
  path: string,
  named: string | null | undefined,
  normalizes: boolean | undefined,
): SavedEncoderSettings["similarity"] | undefined {
  if (normalizes === true || named === "cosine") return "cosine"; // The dot product of unit vectors is their cosine.
  if (named === "dot") return "dot";
  if (named === null || named === undefined) return undefined;
  throw new UserError(`${path}: similarity ${named} is not supported, expected cosine or dot.`);
}

/** Names of prompts that models in use have for questions and passages. */
const QUERY_PROMPTS = ["query", "retrieval.query", "search_query"];
const PASSAGE_PROMPTS = ["passage", "document", "corpus", "retrieval.passage", "search_document"];

function prefixesOf(
  path: string,
  prompts: Record<string, string> | null | undefined,
  defaultName: string | null | undefined,
): Partial<Pick<SavedEncoderSettings, "queryPrefix" | "passagePrefix">> {
  const named = (names: readonly string[]): string | undefined =>
    names.map((name) => prompts?.[name]).find((prompt) => prompt !== undefined);
  const usual = defaultName ? prompts?.[defaultName] : undefined;
  if (defaultName && usual === undefined) {
    throw new DataError(
      `${path}: default_prompt_name is ${JSON.stringify(defaultName)}, expected one of the prompts: ${Object.keys(prompts ?? {}).join(", ") || "there are none"}.`,
    );
  }
  const query = named(QUERY_PROMPTS) ?? usual;
  const passage = named(PASSAGE_PROMPTS) ?? usual;
  // Sentence-transformers 5 fills in an empty query and document prompt by itself: that says nothing about the model.
  if (!query && !passage && prompts?.passage === undefined) return {};
  return {
    ...(query === undefined ? {} : { queryPrefix: query }),
    ...(passage === undefined ? {} : { passagePrefix: passage }),
  };
}

/**
 * What a model folder says of its use as an encoder (files of sentence-transformers, all optional): only the settings it
 * really states. Prompts named `query` and `passage`, `document` or `corpus` are the prefixes, or that of `default_prompt_name`.
 *
 * @throws UserError when the folder is missing or asks for something unsupported (several poolings at once, an unknown
 * activation, Euclidean distance), DataError when a file is malformed.
 */
export async function readEncoderSettings(folder: string): Promise<Partial<SavedEncoderSettings>> {
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new UserError(`${folder}: no such folder, expected a model folder.`);
  const { poolingPath, densePaths, normalizes } = await readModules(folder);
  const pooling = await readPooling(folder, poolingPath);
  const dense: DenseLayer[] = [];
  for (const path of densePaths) dense.push(await readDenseConfig(folder, path));
  const configPath = join(folder, "config_sentence_transformers.json");
  const config = await readOptional(configPath, promptsSchema);
  const similarity = similarityOf(configPath, config?.similarity_fn_name, normalizes);
  const lengths = await readOptional(join(folder, "sentence_bert_config.json"), lengthSchema);
  const maxSeqLength = lengths?.max_seq_length ?? undefined;
  return {
    ...(pooling === undefined ? {} : { pooling }),
    ...(similarity === undefined ? {} : { similarity }),
    ...prefixesOf(configPath, config?.prompts, config?.default_prompt_name),
    ...(dense.length > 0 ? { dense } : {}),
    ...(config?.truncate_dim ? { truncateDim: config.truncate_dim } : {}),
    ...(maxSeqLength === undefined ? {} : { maxSeqLength }),
  };
}
