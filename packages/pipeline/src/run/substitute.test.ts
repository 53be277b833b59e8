// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the syntax of run configurations
import { describe, expect, it } from "vitest";
import { substitute, UnknownVariable } from "./substitute.js";

describe("substitute", () => {
  const variables = { work_dir: "out", count: 3, on: true };

  it("goes into lists and mappings, and keeps the type of a variable that stands alone", () => {
    const value = { a: "${work_dir}/x", b: ["${count}", "n${count}"], c: { d: "${on}" }, e: 5, f: null };
    expect(substitute(value, variables)).toEqual({ a: "out/x", b: [3, "n3"], c: { d: true }, e: 5, f: null });
  });

  it("leaves $${name} as ${name}, and other dollars alone", () => {
    expect(substitute("$${count} costs $5 and ${count}", variables)).toBe("${count} costs $5 and 3");
    expect(substitute("$${count}", variables)).toBe("${count}");
  });

  it("names an unknown variable and where it stands", () => {
    try {
      substitute({ a: ["x", "${nowhere}"] }, variables);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UnknownVariable);
      expect(error).toMatchObject({ variable: "nowhere", keys: ["a", 1] });
    }
    expect(() => substitute("${toString}", variables)).toThrow(UnknownVariable);
  });
});
