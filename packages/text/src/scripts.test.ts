import { expect, it } from "vitest";
import { beyondLatin, scriptsOf } from "./scripts.js";

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

it("takes a text for one of another script in spite of the Latin names in it, and not for a foreign word", () => {
  expect(beyondLatin("`createApp()` は Vue のアプリケーションを作成します。defineComponent も参照。")).toBe(true);
  expect(beyondLatin("The Japanese word 検索 means to search in a database.")).toBe(false);
  expect(beyondLatin("Où est la bibliothèque?")).toBe(false);
  expect(beyondLatin("12 %")).toBe(false);
  expect(beyondLatin("где")).toBe(true);
});
