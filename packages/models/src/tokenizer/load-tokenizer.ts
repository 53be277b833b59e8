import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";
import { readChatTemplate } from "../chat/read-chat-template.js";
import { controlTokens, createControlMarks } from "./control-tokens.js";
import { countByWord } from "./count-by-word.js";
import { textPreparation, toExactDescription, useCharacterMaps } from "./parity.js";
import type { Tokenizer } from "./tokenizer.js";

/** The largest published tokenizer.json (256k tokens with merges) is near 35 MB; beyond this the file is something else. */
const MAX_TOKENIZER_BYTES = 128 * 2 ** 20;

/** transformers writes 1e30 for "no limit"; no real limit is near this. */
const NO_LIMIT = 1e9;

/** A special token in tokenizer_config.json: its text, or an object that holds it. */
const specialToken = z
  .union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)])
  .nullish()
  .catch(undefined);

const tokenizerConfig = z.object({
  pad_token: specialToken,
  eos_token: specialToken,
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

async function readDescription(folder: string): Promise<z.infer<typeof tokenizerDescription>> {
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
async function readConfig(folder: string): Promise<z.infer<typeof tokenizerConfig>> {
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

/**
 * Loads the tokenizer of a model folder (`tokenizer.json`, `tokenizer_config.json`). Truncation and padding set in the file
 * do not apply; special tokens written in a text (`<|im_end|>`) are read as such, unless `asText` marked them.
 *
 * @throws UserError when there is no tokenizer.json, DataError when a file is malformed or of a kind not supported.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const description = await readDescription(folder);
  const config = await readConfig(folder);
  const eosToken = config.eos_token ?? undefined;
  const json = description as Parameters<typeof toExactDescription>[0];
  const build = (from: typeof json): HuggingFaceTokenizer => {
    // Of tokenizer_config.json the library is told no more than this: its other switches belong to slow tokenizers.
    const built = new HuggingFaceTokenizer(from, eosToken === undefined ? {} : { eos_token: eosToken });
    useCharacterMaps(built.normalizer);
    return built;
  };
  let inner: HuggingFaceTokenizer;
  let prepare: (text: string) => string;
  try {
    prepare = textPreparation(json);
    inner = build(toExactDescription(json));
  } catch (cause) {
    throw new DataError(`${join(folder, "tokenizer.json")}: cannot be used: ${(cause as Error).message}.`, { cause });
  }
  const idOf = (token: string | null | undefined): number | undefined =>
    typeof token === "string" ? inner.token_to_id(token) : undefined;
  const eosId = idOf(eosToken);
  const maxLength = config.model_max_length ?? undefined;
  const controls = controlTokens(description.added_tokens, await readChatTemplate(folder));
  const marks = createControlMarks(controls);
  let forMarked: HuggingFaceTokenizer | undefined;
  const encode = (text: string, special: boolean): number[] => {
    if (text === "" && !special) return [];
    const options = { add_special_tokens: special };
    if (!marks.isMarked(text)) return inner.encode(prepare(text), options).ids;
    forMarked ??= build(marks.hide(toExactDescription(json)));
    return forMarked.encode(prepare(marks.unmark(text)), options).ids;
  };
  return {
    encode: (text, options = {}) => encode(text, options.special ?? true),
    asText: marks.mark,
    controlTokens: controls,
    encodePair(first, second) {
      const options = { text_pair: prepare(second), add_special_tokens: true, return_token_type_ids: true } as const;
      const { ids, token_type_ids } = inner.encode(prepare(first), options);
      return { ids, types: token_type_ids };
    },
    decode: (ids, options = {}) =>
      ids.length === 0
        ? ""
        : inner.decode([...ids], {
            skip_special_tokens: options.skipSpecial ?? false,
            clean_up_tokenization_spaces: false,
          }),
    count: countByWord(description, (text) => encode(text, false).length),
    padId: idOf(config.pad_token) ?? eosId ?? 0,
    eosId,
    tokenId: (token) => inner.token_to_id(token),
    modelMaxLength: maxLength !== undefined && maxLength < NO_LIMIT ? maxLength : undefined,
  };
}
