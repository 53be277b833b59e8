import { expect, it } from "vitest";
import { wordCount } from "./word-count.js";

it("counts pieces between spaces, and words where there are none", () => {
  expect(wordCount("  A well-known way – isn't it?\n")).toBe(6);
  expect(wordCount("как это\u00a0работает")).toBe(3);
  expect(wordCount("検索エンジンを使う。 API も")).toBe(6);
  expect(wordCount("น้ำดื่มทำงาน")).toBe(3);
  expect(wordCount(" ")).toBe(0);
});
