import { DataError } from "@rag-ft/core";
import { expect, it } from "vitest";
import { editedJson } from "./edit-json.js";

it("numbers that stay keep their spelling, strings that look like numbers too", () => {
  const text = '{"a": 2.0, "b": [1e-05, 10, -3.50], "c": "2.0 \\"1e5\\"", "d": {"e": 1E3}, "dtype": "float16"}';
  expect(editedJson("c.json", text, (value) => ({ ...value, dtype: "float32", new: 7 }))).toBe(
    `${JSON.stringify(
      { a: "2.0", b: ["1e-05", 10, "-3.50"], c: '2.0 "1e5"', d: { e: "1E3" }, dtype: "float32", new: 7 },
      null,
      2,
    )
      .replace('"a": "2.0"', '"a": 2.0')
      .replace('"1e-05"', "1e-05")
      .replace('"-3.50"', "-3.50")
      .replace('"1E3"', "1E3")}\n`,
  );
});

it("refuses what is no object", () => {
  expect(() => editedJson("c.json", "[1.0]", (value) => ({ ...value }))).toThrow(DataError);
  expect(() => editedJson("c.json", "{", (value) => ({ ...value }))).toThrow(/c\.json: not valid JSON/);
});
