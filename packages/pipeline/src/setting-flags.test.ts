import { count, flag } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { settingFlags } from "./setting-flags.js";

describe("settingFlags", () => {
  it("finds kind, default, description and choices through defaults, optionals, coercions and transforms", () => {
    const shape = z.object({
      a: flag().default(true).describe("A"),
      b: count(1).describe("B").optional(),
      c: z.enum(["x", "y"]).default("x"),
      d: z.union([z.string(), z.array(z.string())]),
      e: z.string().transform((text) => text.length),
      f: z.preprocess((value) => value, z.array(z.string())).default([]),
      g: z.number().nullable().default(null),
    }).shape;
    expect(settingFlags(shape, { old_d: "d" })).toEqual([
      { name: "a", kind: "boolean", description: "A", defaultValue: true, required: false, aliases: [] },
      { name: "b", kind: "number", description: "B", required: false, aliases: [] },
      {
        name: "c",
        kind: "text",
        description: "",
        defaultValue: "x",
        required: false,
        choices: ["x", "y"],
        aliases: [],
      },
      { name: "d", kind: "list", description: "", required: true, aliases: ["old_d"] },
      { name: "e", kind: "text", description: "", required: true, aliases: [] },
      { name: "f", kind: "list", description: "", defaultValue: [], required: false, aliases: [] },
      { name: "g", kind: "number", description: "", defaultValue: null, required: false, aliases: [] },
    ]);
  });
});
