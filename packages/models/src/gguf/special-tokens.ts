import { join } from "node:path";
import { UserError } from "@rag-ft/core";
import type { TokenizerConfig } from "../tokenizer/read-description.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { GgufValue } from "./gguf-file.js";

const PLAIN = "a";

/** The ids that a tokenizer puts before and after a text by itself. */
function around(tokenizer: Tokenizer): { before: number[]; after: number[] } {
  const plain = tokenizer.encode(PLAIN, { special: false });
  const whole = tokenizer.encode(PLAIN);
  const start = whole.findIndex((_, i) => plain.every((id, j) => whole[i + j] === id));
  return { before: whole.slice(0, start), after: whole.slice(start + plain.length) };
}

/** What GGUF says of special tokens. */
export function specialTokens(
  folder: string,
  config: TokenizerConfig,
  isWordPiece: boolean,
  { tokenizer, eosIds, size }: { tokenizer: Tokenizer; eosIds: readonly number[]; size: number },
): { metadata: [string, GgufValue][]; warnings: string[] } {
  const idOf = (token: string | null | undefined): number | undefined => {
    const id = typeof token === "string" ? tokenizer.tokenId(token) : undefined;
    return id !== undefined && id < size ? id : undefined;
  };
  const { before, after } = around(tokenizer);
  if (before.length > 1 || after.length > 1 || (isWordPiece && before.length + after.length !== 2)) {
    throw new UserError(
      `${join(folder, "tokenizer.json")}: its post_processor puts ${before.length} tokens before a text and ${after.length} after it; ` +
        "llama.cpp puts at most one at either end (WordPiece: both). Export it as q8 instead.",
    );
  }
  const [first] = before;
  const [last] = after;
  const eosToken = idOf(config.eos_token);
  const named = eosToken !== undefined && (eosIds.length === 0 || eosIds.includes(eosToken)) ? eosToken : eosIds[0];
  if (eosIds.length > 0 && last !== undefined && last !== named) {
    throw new UserError(
      `${join(folder, "tokenizer.json")}: its post_processor puts the token ${last} after a text, but answers end with ${named}; llama.cpp has one token for both. Export it as q8 instead.`,
    );
  }
  const ends = eosIds.filter((id) => id !== named);
  const ids: [string, number | undefined][] = [
    ["bos", first ?? idOf(config.bos_token)],
    ["eos", last ?? named],
    ["eot", ends[0]],
    ["eom", ends[1]],
    ["unknown", idOf(config.unk_token)],
    ["padding", idOf(config.pad_token)],
    ["cls", isWordPiece ? first : undefined],
    ["seperator", isWordPiece ? last : idOf(config.sep_token)], // as GGUF spells it
    ["mask", idOf(config.mask_token)],
  ];
  const metadata: [string, GgufValue][] = ids.flatMap(([name, id]) =>
    id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { u32: id }] as [string, GgufValue]],
  );
  metadata.push(["tokenizer.ggml.add_bos_token", { bool: first !== undefined }]);
  metadata.push(["tokenizer.ggml.add_eos_token", { bool: last !== undefined }]);
  const more = ends.slice(2);
  const warnings =
    more.length > 0
      ? [`GGUF names three tokens that end an answer: ${more.join(", ")} of generation_config.json are left out.`]
      : [];
  return { metadata, warnings };
}
