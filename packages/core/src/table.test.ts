import { expect, test } from "vitest";
import { formatTable } from "./table.js";

test("numbers stand right under their heading, text left, gaps stay blank", () => {
  const table = formatTable(
    [
      { model: "base", recall4: 0.5, n: 8 },
      { model: "tuned, best", recall4: 0.8125, n: 120 },
      { model: "none", n: 3 },
    ],
    ["model", { key: "recall4", title: "recall@4", digits: 2 }, "n"],
  );
  expect(table.split("\n")).toEqual([
    "model        recall@4    n",
    "-----------  --------  ---",
    "base             0.50    8",
    "tuned, best      0.81  120",
    "none                     3",
  ]);
});

test("a figure over nothing is a dash, and a cell's line breaks do not break the table", () => {
  expect(formatTable([{ a: Number.NaN, b: "two\nlines" }], ["a", "b"]).split("\n")[2]).toBe("-  two lines");
});

test("texts whose characters take two columns, or none, keep the columns apart", () => {
  const rows = [
    { model: "检索模型", share: 0.5 },
    { model: "cafe\u0301", share: 0.25 },
    { model: "e5-small", share: 1.5 },
  ];
  expect(formatTable(rows, [{ key: "model", title: "モデル" }, "share"]).split("\n")).toEqual([
    "モデル    share",
    "--------  -----",
    "检索模型  0.500",
    "cafe\u0301      0.250",
    "e5-small  1.500",
  ]);
});
