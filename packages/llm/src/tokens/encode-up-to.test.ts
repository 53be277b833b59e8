import { expect, it } from "vitest";
import { encodeUpTo } from "./encode-up-to.js";

/** A token a word; remembers the longest text that it was given. */
function words(): { encode: (text: string) => number[]; longest: () => number } {
  let longest = 0;
  return {
    encode: (text) => {
      longest = Math.max(longest, text.length);
      return text.split(/\s+/).map((word) => word.length);
    },
    longest: () => longest,
  };
}

it("reads no more of a text than shows that it is too long", () => {
  const { encode, longest } = words();
  expect(encodeUpTo(encode, "one ".repeat(100_000), 10).length).toBeGreaterThan(10);
  expect(longest()).toBeLessThan(100);
});

it("reads a text of few long tokens to its end", () => {
  const { encode } = words();
  expect(encodeUpTo(encode, `${"a".repeat(1000)} b c`, 10)).toEqual([1000, 1, 1]);
});
