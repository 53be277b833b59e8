import { expect, it } from "vitest";
import { markdownTable } from "./markdown-table.js";

it("aligns columns, and fills rows that are short", () => {
  expect(markdownTable([["a", "what it is"], ["long name", "b"], ["c"]])).toEqual([
    "| a         | what it is |",
    "| --------- | ---------- |",
    "| long name | b          |",
    "| c         |            |",
  ]);
});
