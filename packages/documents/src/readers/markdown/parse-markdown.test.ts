import type { RootContent } from "mdast";
import { expect, it } from "vitest";
import { parseMarkdown, parseMdx } from "./parse-markdown.js";

const types = (node: RootContent): string[] => [
  node.type,
  ...("children" in node ? node.children.flatMap((child) => types(child as RootContent)) : []),
];

it.each([
  ["| a |\n| - |\n", "table"],
  ["a\n:-\nb\n", "table"],
  ["a\n-:\nb\n", "table"],
  ["A ~~word~~ less.", "delete"],
  ["A ~word~ less.", "delete"],
  ["Seen[^1].\n\n[^1]: There.", "footnoteDefinition"],
  ["See {{< part >}} there.", "shortcode"],
  ["See {% part %} there.", "shortcode"],
])("%j is more than CommonMark", async (text, type) => {
  const { children } = await parseMarkdown(text, async () => {});
  expect(children.flatMap(types)).toContain(type);
});

it.each(["[ ]", "[x]", "[X]", "[\t]"])("%s is a task", async (box) => {
  const { children } = await parseMarkdown(`- ${box} done`, async () => {});
  expect(children[0]).toMatchObject({ children: [{ checked: /x/i.test(box) }] });
});

it("MDX has GitHub's tables, too", async () => {
  const { children } = await parseMdx("<Box>\n\n| a |\n| - |\n\n</Box>\n");
  expect(children.flatMap(types)).toEqual(expect.arrayContaining(["mdxJsxFlowElement", "table"]));
});
