import { describe, expect, it } from "vitest";
import { count, escapedText, flag, number } from "./settings.js";

describe("values from the command line and from YAML", () => {
  it.each([
    ["true", true],
    ["True", true],
    ["1", true],
    ["yes", true],
    ["", true],
    ["false", false],
    ["No", false],
    ["0", false],
    [true, true],
    [false, false],
  ])("flag %j", (given, expected) => {
    expect(flag().parse(given)).toBe(expected);
  });

  it("refuses what is no flag", () => {
    expect(flag().safeParse("maybe").success).toBe(false);
    expect(flag().safeParse(1).success).toBe(false);
  });

  it("reads numbers and refuses what is none", () => {
    expect(number().parse("1e-5")).toBe(1e-5);
    expect(number().parse(2)).toBe(2);
    for (const wrong of ["", " ", "two", "1,5", "Infinity", Number.NaN]) {
      expect(number().safeParse(wrong).success, String(wrong)).toBe(false);
    }
  });

  it("reads whole numbers from a minimum on", () => {
    expect(count(1).parse("8")).toBe(8);
    expect(count(1).safeParse("0").success).toBe(false);
    expect(count().safeParse("1.5").success).toBe(false);
  });

  it("undoes escapes that the shell passed through", () => {
    expect(escapedText().parse("<|im_end|>\\n\\t")).toBe("<|im_end|>\n\t");
  });
});
