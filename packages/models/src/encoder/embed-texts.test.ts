import { expect, test } from "vitest";
import { TokenMemory } from "./embed-texts.js";

test("a passage is tokenised once while there is room, and each time when there is none", () => {
  const memory = new TokenMemory(5);
  const made: string[] = [];
  const idsOf = (text: string): number[] => [
    ...memory.idsOf(text, () => {
      made.push(text);
      return [...text].map((letter) => letter.codePointAt(0) ?? 0);
    }),
  ];
  expect(idsOf("abc")).toEqual([97, 98, 99]);
  expect(idsOf("def")).toEqual([100, 101, 102]);
  expect(idsOf("abc")).toEqual([97, 98, 99]);
  expect(idsOf("def")).toEqual([100, 101, 102]);
  expect(made).toEqual(["abc", "def", "def"]);
});
