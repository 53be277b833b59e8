import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";

/** The largest published tokenizer.json (256k tokens with merges) is near 35 MB; beyond this the file is something else. */
const MAX_TOKENIZER_BYTES = 128 * 2 ** 20;

/** A special token in tokenizer_config.json: its text, or an object that holds it. */
const specialToken = z
  .union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)])
  .nullish()
  .catch(undefined);

const tokenizerConfig = z.object({
  bos_token: specialToken,
  eos_token: specialToken,
  unk_token: specialToken,
  pad_token: specialToken,
  cls_token: specialToken,
  sep_token: specialToken,
  mask_token: specialToken,
  model_max_length: z.number().nullish().catch(undefined),
});

const tokenizerDescription = z
  .object({
    // Files written before version 0.9 of the Python library carry no type; which one it is follows from the other keys.
    model: z.looseObject({ type: z.enum(["WordPiece", "BPE", "Unigram"]).optional(), vocab: z.json() }),
    added_tokens: z
      .array(z.looseObject({ id: z.number().int().nonnegative(), content: z.string() }))
      .nullish()
      .transform((tokens) => tokens ?? []),
    normalizer: z.json().default(null),
    pre_tokenizer: z.json().default(null),
    post_processor: z.json().default(null),
    decoder: z.json().default(null),
  })
  .loose();

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}). Download the file again.`, { cause });
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A tokenizer.json, as far as it is looked at. */
export type TokenizerDescription = z.infer<typeof tokenizerDescription>;

/** What tokenizer_config.json says of special tokens. */
export type TokenizerConfig = z.infer<typeof tokenizerConfig>;

/**
 * Reads `tokenizer.json`.
 *
 * @throws UserError when there is none, DataError when it is malformed.
 */
export async function readDescription(folder: string): Promise<TokenizerDescription> {
  const path = join(folder, "tokenizer.json");
  let bytes: number;
  try {
    bytes = (await stat(path)).size;
  } catch (cause) {
    throw new UserError(
      `${path}: no such file. A model folder needs tokenizer.json (the fast tokenizer); a folder with only vocab.txt or ` +
        "tokenizer.model is converted with Python: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).",
      { cause },
    );
  }
  if (bytes > MAX_TOKENIZER_BYTES) {
    throw new DataError(`${path}: ${bytes} bytes, expected at most ${MAX_TOKENIZER_BYTES}. Is this a tokenizer?`);
  }
  const parsed = tokenizerDescription.safeParse(parseJson(path, await readFile(path, "utf8")));
  if (!parsed.success) {
    throw new DataError(`${path}: not a tokenizer description: ${describeIssues(parsed.error)}.`, {
      cause: parsed.error,
    });
  }
  return parsed.data;
}

/** `tokenizer_config.json`, or, in folders without one, `special_tokens_map.json`; both are optional. */
export async function readTokenizerConfig(folder: string): Promise<TokenizerConfig> {
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"]) {
    const path = join(folder, name);
    const text = await readOptional(path);
    if (text === undefined) continue;
    const parsed = tokenizerConfig.safeParse(parseJson(path, text));
    if (!parsed.success) {
      throw new DataError(`${path}: expected a JSON object: ${describeIssues(parsed.error)}.`, { cause: parsed.error });
    }
    return parsed.data;
  }
  return {};
}
