import { join } from "node:path";
import { DataError } from "@rag-ft/core";
import type { Tokenizer } from "./tokenizer.js";

/** What to say of a token that the model's embeddings, `size` rows, do not have. */
export function unknownToken(folder: string, token: string, id: number, size: number): DataError {
  return new DataError(
    `${join(folder, "tokenizer.json")}: the token ${JSON.stringify(token)} has the id ${id}, but the model knows ` +
      `${size} (vocab_size of config.json). Are tokenizer and weights of the same model?`,
  );
}

/**
 * A tokenizer that gives no id beyond the model's embeddings: one of another model would otherwise fail in the middle of a run, with a
 * message of ONNX Runtime. Folders that merely list such a token, but never meet it, are in use: they load.
 *
 * @param size Rows of the embeddings (`vocab_size`).
 */
export function withinVocabulary(tokenizer: Tokenizer, size: number, folder: string): Tokenizer {
  const isIn = (id: number | undefined): id is number => id !== undefined && id < size;
  const checked = (ids: readonly number[]): void => {
    const unknown = ids.find((id) => !isIn(id));
    if (unknown !== undefined) throw unknownToken(folder, tokenizer.decode([unknown]), unknown, size);
  };
  return {
    ...tokenizer,
    // Padded positions are masked, so that any id serves.
    padId: [tokenizer.padId, tokenizer.eosId].find(isIn) ?? 0,
    encode(text, options) {
      const ids = tokenizer.encode(text, options);
      checked(ids);
      return ids;
    },
    encodePair(first, second) {
      const pair = tokenizer.encodePair(first, second);
      checked(pair.ids);
      return pair;
    },
  };
}
