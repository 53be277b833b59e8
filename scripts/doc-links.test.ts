import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sidebar } from "../site/.vitepress/sidebar.mjs";
import { deadLinks, ownPages, takenForTemplates } from "./doc-links.mjs";

it("every relative link and anchor of README, guides, skill and benchmarks leads somewhere", () => {
  const { root, pages } = ownPages();
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/start.md", "docs/reference/serve.md"]));
  expect(deadLinks(root, pages)).toEqual([]);
});

it("tells files and headings that are not there, and leaves code and other addresses alone", async () => {
  const root = await mkdtemp(join(tmpdir(), "doc-links-"));
  try {
    await mkdir(join(root, "docs"));
    await writeFile(join(root, "docs/b.md"), "# B\n\n## `ask` & more\n\n## Twice\n\n## Twice\n");
    await writeFile(
      join(root, "docs/a.md"),
      [
        "# A",
        "[1](b.md) [2](b.md#ask--more) [3](b.md#twice-1) [4](#a) [5](https://x.test/y.md#z) `[6](gone.md)`",
        "| [7](b.md#twice-2) | ![8](images/gone.png) |",
        "[9](gone.md)",
        "[10](#b)",
        "[11](../../out.md)",
      ].join("\n\n"),
    );
    expect(deadLinks(root, ["docs/a.md"])).toEqual([
      'docs/a.md:5: b.md#twice-2: docs/b.md has no heading "twice-2".',
      "docs/a.md:5: images/gone.png: there is no docs/images/gone.png.",
      "docs/a.md:7: gone.md: there is no docs/gone.md.",
      'docs/a.md:9: #b: docs/a.md has no heading "b".',
      "docs/a.md:11: ../../out.md leaves the repository.",
    ]);
  } finally {
    await rm(root, { recursive: true });
  }
});

it("no guide holds what the site would take for a template of its own", async () => {
  const { root, pages } = ownPages();
  const guides = pages.filter((page) => page.startsWith("docs/"));
  expect(takenForTemplates(root, guides)).toEqual([]);
  const other = await mkdtemp(join(tmpdir(), "doc-links-"));
  await writeFile(join(other, "a.md"), "`<a>` and `{{ b }}`\n\na <folder> here\n\n{{ c }}\n");
  expect(takenForTemplates(other, ["a.md"])).toEqual([
    "a.md:3: <folder>: put it in code.",
    "a.md:5: {{ c }}: put it in code.",
  ]);
  await rm(other, { recursive: true });
});

it("README has at most 150 lines", async () => {
  const readme = await readFile(join(ownPages().root, "README.md"), "utf8");
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

it("every page of docs/ stands in the side bar of the site", () => {
  const listed = (items: readonly object[]): string[] =>
    items.flatMap((item) => [
      ...("link" in item ? [String(item.link)] : []),
      ...("items" in item ? listed(item.items as object[]) : []),
    ]);
  const pages = ownPages().pages.filter((page) => page.startsWith("docs/"));
  expect(listed(sidebar).sort()).toEqual(pages.map((page) => page.slice("docs".length, -".md".length)).sort());
});
