import { expect, it } from "vitest";
import { scriptsOf } from "./scripts.js";

it("tells the scripts of a text by their shares of its letters", () => {
  expect(scriptsOf("Où est la bibliothèque? 12 – §")).toEqual([{ script: "Latin", share: 1 }]);
  expect(scriptsOf("где он API")).toEqual([
    { script: "Cyrillic", share: 5 / 8 },
    { script: "Latin", share: 3 / 8 },
  ]);
  // Two of Han, one of Hiragana, three of Katakana; the mark of a long vowel is of two scripts.
  expect(scriptsOf("検索をコーヒード")).toEqual([
    { script: "Katakana", share: 3 / 6 },
    { script: "Han", share: 2 / 6 },
    { script: "Hiragana", share: 1 / 6 },
  ]);
  expect(scriptsOf("ᚠᚢᚦ").map(({ script }) => script)).toEqual(["Other"]);
  expect(scriptsOf("12 … 👍")).toEqual([]);
});
