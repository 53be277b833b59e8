import { describe, expect, it } from "vitest";
import { commonTokens, overlap } from "./overlap.js";
import { squadTokens } from "./squad-tokens.js";

it("normalises as SQuAD's evaluation does", () => {
  expect(squadTokens("The cat's  A-Z, an (old) theory.")).toEqual(["cats", "az", "old", "theory"]);
});

it("counts a repeated token once for each time that both have it", () => {
  expect(commonTokens(["x", "x", "y"], ["x", "x", "x", "z"])).toBe(2);
});

describe("overlap", () => {
  it("is the share of the second text's tokens, so it is not symmetric", () => {
    expect(overlap("red green blue black", "the red, green")).toBe(1);
    expect(overlap("the red, green", "red green blue black")).toBe(0.5);
  });

  it("uses the multiset: one occurrence matches one", () => {
    expect(overlap("red", "red red red red")).toBe(0.25);
  });

  it("is 0 for a text of articles and punctuation only", () => {
    expect(overlap("the", "the, a.")).toBe(0);
  });

  it.each([
    ["Russian", "Где найти «настройки» профиля?", "настройки, профиля", 1],
    ["Japanese", "検索エンジンを使う。", "エンジンを見る", 2 / 3],
    ["Thai", "น้ำดื่มทำงาน", "ดื่มน้ำ", 1],
    ["Arabic", "كيف أعيد المنتج؟", "المنتج، الطلب", 1 / 2],
    ["Hindi", "मैं हिन्दी पढ़ता हूँ।", "हिन्दी हूँ", 1],
    ["English within Japanese", "APIを使う", "the API", 1],
  ])("knows the words of %s", (_, a, b, share) => {
    expect(overlap(a, b)).toBe(share);
  });
});
