import { describe, expect, it } from "vitest";
import { titleOf } from "../../files/cut-pages.js";
import { readTextPage } from "../../testing/read-text-page.js";
import { readFrontMatter } from "./front-matter.js";

describe("title", () => {
  it.each([
    ["---\ntitle: From above\n---\n# Heading\n\nText.", "From above"],
    ["Text first.\n\n## Heading *here*\n", "Heading *here*"],
    ["Heading\n=======\n\nText.", "Heading"],
    ["# `code` and [a link](https://example.org) ##\n", "code and a link"],
    ["# name [![badge](https://b/x.svg)](https://b) ![Status][ci]\n", "name"],
    ['<h1 align="center">\n  <img src="logo.svg"> Logo name\n</h1>\n', "Logo name"],
    ["```sh\n# a comment\n```\n\nText.", undefined],
  ])("of %j", async (content, title) => {
    const read = await readTextPage("a.md", content);
    expect(titleOf(read.page, read)).toBe(title);
    expect(read.page.metadata).toEqual({});
  });
});

describe("text", () => {
  it("loses comments, badges, link definitions and layout tags", async () => {
    const content = [
      "<!-- hidden\n-->",
      '<p align="center"><img src="x.png"></p>',
      "[![npm](https://b/n.svg)](https://n) ![ci](https://b/c.svg)",
      "",
      "Read [the guide][1] <b>first</b>.",
      "",
      '[1]: https://example.org "Guide"',
    ].join("\n");
    expect((await readTextPage("a.md", content)).text).toBe("Read the guide first.");
  });

  it("leaves code as it is, inline too", async () => {
    const code = "```html\n<!-- kept -->\n<div>\n\n\n[a]: b\n</div>\n```";
    const content = `Use \`<div>\` here.\n\n${code}\n\nEnd.`;
    expect((await readTextPage("a.md", content)).text).toBe(content);
  });

  it("keeps a generic type that is no tag", async () => {
    expect((await readTextPage("a.md", "Returns Map<string, number> or <DS>.")).text).toBe(
      "Returns Map<string, number> or <DS>.",
    );
  });
});

describe("front matter", () => {
  it("that is not quite YAML is read line by line", () => {
    const text = "---\ntitle: Roles: what they do\ndescription: 'x'\n---\nText";
    expect(readFrontMatter(text)).toEqual({
      values: { title: "Roles: what they do", description: "x" },
      body: "\n\n\n\nText",
    });
  });

  it("is none between two rules", () => {
    for (const text of ["---\nJust text.\n---\nMore", "Text\n---\nx: y\n---\n", "---\nno end: 1\n"]) {
      expect(readFrontMatter(text)).toEqual({ values: {}, body: text });
    }
  });
});
