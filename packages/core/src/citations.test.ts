import { expect, it } from "vitest";
import { findCitations, renumberCitations, stripCitations } from "./citations.js";

it("finds citations, and not the brackets of code and links", () => {
  const text =
    "Set it by file [1]. Or by flag[2, 3]. `args[4]` and [5](https://x.test) are none.\n```\na[6]\n```\nEnd [12].";
  expect(findCitations(text).map(({ numbers }) => numbers)).toEqual([[1], [2, 3], [12]]);
  for (const { start, end, numbers } of findCitations(text))
    expect(text.slice(start, end).match(/\d+/g)?.map(Number)).toEqual(numbers);
  expect(findCitations("Nothing [x] here [1234] or [1-3].")).toEqual([]);
});

it.each([
  ["Set it by file [1].", "Set it by file."],
  ["Set it by file. [1]", "Set it by file."],
  ["[1] Set it by file[2][3]. Then start.", "Set it by file. Then start."],
  ["One [1]\n\nTwo [2]", "One\n\nTwo"],
  ["Use `a[0]`.", "Use `a[0]`."],
])("without citations: %j", (text, bare) => {
  expect(stripCitations(text)).toBe(bare);
});

it("numbers follow the passages, and a citation of none goes", () => {
  const places = new Map([
    [1, 4],
    [2, 2],
  ]);
  const renumber = (text: string): string => renumberCitations(text, (number) => places.get(number));
  expect(renumber("By file [1]. By flag [1, 2]. By hand [3].")).toBe("By file [4]. By flag [2][4]. By hand.");
  expect(renumber("Nothing.")).toBe("Nothing.");
});
