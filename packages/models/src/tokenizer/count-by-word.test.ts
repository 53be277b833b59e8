import { join } from "node:path";
import { createRandom } from "@rag-ft/core";
import { expect, it } from "vitest";
import { countByWord } from "./count-by-word.js";
import { loadTokenizer } from "./load-tokenizer.js";

const PIECES = [
  "the",
  "Quick",
  "ΟΔΟΣ",
  "naïve",
  "한국어",
  "東京",
  "𠀀",
  "[MASK]",
  "[mask]",
  "12345",
  "don't",
  "x".repeat(120),
];
/** White space that cuts, that is taken out, and what only looks like it; marks that would join what is before them. */
const BETWEEN = [
  " ",
  "\n",
  "\t",
  "\r\n",
  "  ",
  "\v",
  "\f",
  "\u0085",
  "\u00a0",
  "\u200b",
  "\u2028",
  "\u3000",
  "\ufeff",
  "\u0301",
  "-",
  "",
];

it("a text has as many tokens as the tokenizer makes of it, whatever is between its words", async () => {
  const tokenizer = await loadTokenizer(join(import.meta.dirname, "fixtures", "word-piece"));
  const random = createRandom(5);
  const pick = (from: readonly string[]): string => from[random.integer(from.length)] ?? "";
  let tokens = 0;
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: 12 }, () => pick(PIECES) + pick(BETWEEN)).join("");
    const ids = tokenizer.encode(text, { special: false });
    expect(tokenizer.count(text), JSON.stringify(text)).toBe(ids.length);
    tokens += ids.length;
  }
  expect(tokens).toBeGreaterThan(5000);
});

it("asks for each word once, and for the text whole where words may depend on their neighbours", () => {
  const description = {
    model: { type: "WordPiece" },
    normalizer: { type: "BertNormalizer" },
    pre_tokenizer: { type: "BertPreTokenizer" },
    added_tokens: [{ content: "[MASK]" }],
  };
  const askedFor = (given: object): string[] => {
    const asked: string[] = [];
    const count = countByWord({ ...description, ...given }, (text) => asked.push(text));
    count("one two\none");
    count("two");
    return asked;
  };
  expect(askedFor({})).toEqual(["one", "two"]);
  for (const other of [
    { model: { type: "Unigram" } },
    { normalizer: { type: "Precompiled" } },
    { pre_tokenizer: { type: "Metaspace" } },
    { added_tokens: [{ content: "a b" }] },
  ])
    expect(askedFor(other)).toEqual(["one two\none", "two"]);
});
