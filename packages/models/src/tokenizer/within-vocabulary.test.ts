import { DataError } from "@rag-ft/core";
import { expect, it } from "vitest";
import type { Tokenizer } from "./tokenizer.js";
import { withinVocabulary } from "./within-vocabulary.js";

const letters: Tokenizer = {
  encode: (text) => [...text].map((letter) => letter.charCodeAt(0) - 97),
  encodePair: (first, second) => ({ ids: [...letters.encode(first), ...letters.encode(second)], types: [] }),
  decode: (ids) => String.fromCharCode(...ids.map((id) => id + 97)),
  count: (text) => text.length,
  padId: 25,
  eosId: 2,
  asText: (text) => text,
  controlTokens: [],
  tokenId: () => undefined,
  modelMaxLength: undefined,
};

it("passes ids that the model knows, and names the first token that it does not", () => {
  const tokenizer = withinVocabulary(letters, 5, "models/m");
  expect(tokenizer.encode("abcde")).toEqual([0, 1, 2, 3, 4]);
  expect(() => tokenizer.encode("abcfg")).toThrow(DataError);
  expect(() => tokenizer.encode("abcfg")).toThrow(
    /models.m.tokenizer\.json: the token "f" has the id 5, but the model knows 5 .*of the same model\?/,
  );
});

it("pads with an id that the model knows", () => {
  expect(withinVocabulary(letters, 26, "m").padId).toBe(25);
  expect(withinVocabulary(letters, 25, "m").padId).toBe(2);
  expect(withinVocabulary({ ...letters, eosId: undefined }, 25, "m").padId).toBe(0);
});
