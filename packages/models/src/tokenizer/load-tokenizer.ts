import { join } from "node:path";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { DataError } from "@rag-ft/core";
import { readChatTemplate } from "../chat/read-chat-template.js";
import { controlTokens, createControlMarks } from "./control-tokens.js";
import { countByWord } from "./count-by-word.js";
import { textPreparation, toExactDescription, useCharacterMaps } from "./parity.js";
import { readDescription, readTokenizerConfig } from "./read-description.js";
import type { Tokenizer } from "./tokenizer.js";

/** transformers writes 1e30 for "no limit"; no real limit is near this. */
const NO_LIMIT = 1e9;

/**
 * Loads the tokenizer of a model folder (`tokenizer.json`, `tokenizer_config.json`). Truncation and padding set in the file
 * do not apply; special tokens written in a text (`<|im_end|>`) are read as such, unless `asText` marked them.
 *
 * @throws UserError when there is no tokenizer.json, DataError when a file is malformed or of a kind not supported.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const description = await readDescription(folder);
  const config = await readTokenizerConfig(folder);
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
