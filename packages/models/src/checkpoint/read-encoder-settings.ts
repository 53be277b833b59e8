import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";
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
});

const lengthSchema = z.object({ max_seq_length: z.number().int().positive().nullish() });

async function readOptional<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new DataError(`${path}: not what sentence-transformers writes: ${describeIssues(parsed.error)}.`, {
      cause: parsed.error,
    });
  }
  return parsed.data;
}

interface Modules {
  poolingPath: string;
  /** Undefined when there is no modules.json, which says nothing either way. */
  normalizes: boolean | undefined;
}

/** The chain must be transformer, pooling, perhaps normalising: anything else would make other vectors than ours. */
async function readModules(folder: string): Promise<Modules> {
  const path = join(folder, "modules.json");
  const modules = await readOptional(path, modulesSchema);
  if (modules === undefined) return { poolingPath: "1_Pooling", normalizes: undefined };
  const result: Modules = { poolingPath: "1_Pooling", normalizes: false };
  for (const { path: subfolder, type } of modules) {
    const kind = type.split(".").at(-1);
    if (kind === "Transformer") {
      if (subfolder !== "") {
        throw new UserError(
          `${path}: the transformer is in the subfolder ${subfolder}. Give ${join(folder, subfolder)} as the model, with ` +
            "the pooling as a setting.",
        );
      }
    } else if (kind === "Pooling") result.poolingPath = subfolder;
    else if (kind === "Normalize") result.normalizes = true;
    else {
      throw new UserError(
        `${path}: module ${type} is not supported, expected Transformer, Pooling and perhaps Normalize.`,
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
  if (modes.length !== 1 || (mode !== "mean" && mode !== "cls")) {
    throw new UserError(
      `${path}: pooling ${modes.join(" and ") || "none"} is not supported, expected mean or cls. Choose another encoder.`,
    );
  }
  if (config.include_prompt === false) {
    throw new UserError(`${path}: include_prompt false (prefix left out of the mean) is not supported.`);
  }
  return mode;
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

function prefixesOf(
  prompts: Record<string, string> | null | undefined,
): Partial<Pick<SavedEncoderSettings, "queryPrefix" | "passagePrefix">> {
  const query = prompts?.query;
  const passage = prompts?.passage ?? prompts?.document ?? prompts?.corpus;
  // Sentence-transformers 5 fills in an empty query and document prompt by itself: that says nothing about the model.
  if (!query && !passage && prompts?.passage === undefined) return {};
  return {
    ...(query === undefined ? {} : { queryPrefix: query }),
    ...(passage === undefined ? {} : { passagePrefix: passage }),
  };
}

/**
 * What a model folder says of its use as an encoder (files of sentence-transformers, all optional): only the settings it
 * really states. Prompts named `query` and `passage`, `document` or `corpus` are the prefixes.
 *
 * @throws UserError when the folder is missing or asks for something unsupported (pooling of the last token, a dense
 * layer, Euclidean distance), DataError when a file is malformed.
 */
export async function readEncoderSettings(folder: string): Promise<Partial<SavedEncoderSettings>> {
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new UserError(`${folder}: no such folder, expected a model folder.`);
  const { poolingPath, normalizes } = await readModules(folder);
  const pooling = await readPooling(folder, poolingPath);
  const configPath = join(folder, "config_sentence_transformers.json");
  const config = await readOptional(configPath, promptsSchema);
  const similarity = similarityOf(configPath, config?.similarity_fn_name, normalizes);
  const lengths = await readOptional(join(folder, "sentence_bert_config.json"), lengthSchema);
  const maxSeqLength = lengths?.max_seq_length ?? undefined;
  return {
    ...(pooling === undefined ? {} : { pooling }),
    ...(similarity === undefined ? {} : { similarity }),
    ...prefixesOf(config?.prompts),
    ...(maxSeqLength === undefined ? {} : { maxSeqLength }),
  };
}
