import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { titleOf } from "./cut-pages.js";
import { findFiles } from "./find-files.js";
import type { ReadPage } from "./read-file.js";
import { noCounts, type ReadCounts, readPages } from "./read-pages.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-docs-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function put(path: string, text: string): Promise<string> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  return join(root, path);
}

const all = { include: [], exclude: [] };
const sources = async (entries: string[], options = {}): Promise<string[]> =>
  (await findFiles(entries, { ...all, ...options })).files.map((file) => file.source);

async function read(entries: string[]): Promise<{ pages: ReadPage[]; counts: ReadCounts; warnings: string[] }> {
  const counts = noCounts();
  const warnings: string[] = [];
  const { files } = await findFiles(entries, all);
  const options = { counts, warn: (message: string) => warnings.push(message), turn: async () => {} };
  const pages: ReadPage[] = [];
  for await (const page of readPages(files, options)) pages.push(page);
  return { pages, counts, warnings };
}

describe("findFiles", () => {
  it("names files of a folder by their path in it, a single file by its name", async () => {
    await put("docs/guide/a.md", "a");
    await put("docs/b.HTML", "b");
    await put("docs/c.txt", "c");
    await put("docs/picture.png", "p");
    await put("docs/node_modules/x/readme.md", "x");
    await put("docs/.hidden/d.md", "d");
    expect(await sources([join(root, "docs")])).toEqual(["b.HTML", "c.txt", "guide/a.md"]);
    expect(await sources([join(root, "docs", "guide", "a.md")])).toEqual(["a.md"]);
  });

  it("names installed packages' files from the package on, and does not follow links", async () => {
    await put("node_modules/.pnpm/tool@1.0.0/node_modules/tool/README.md", "tool");
    await put("node_modules/.pnpm/@s+lib@2.0.0/node_modules/@s/lib/docs/api.md", "lib");
    await symlink(
      join(root, "node_modules/.pnpm/tool@1.0.0/node_modules/tool"),
      join(root, "node_modules/.pnpm/@s+lib@2.0.0/node_modules/tool"),
    );
    const pattern = join(root, "node_modules/.pnpm/*/node_modules/**/*.md");
    expect(await sources([pattern])).toEqual(["@s/lib/docs/api.md", "tool/README.md"]);
  });

  it("includes and excludes by name, by source and by path", async () => {
    for (const name of ["README.md", "CHANGELOG.md", "docs/a.md", "docs/old/b.md"]) await put(`p/${name}`, name);
    const entry = [join(root, "p")];
    expect(await sources(entry, { exclude: ["changelog*"] })).toEqual(["docs/a.md", "docs/old/b.md", "README.md"]);
    expect(await sources(entry, { exclude: ["docs/**"] })).toEqual(["CHANGELOG.md", "README.md"]);
    expect(await sources(entry, { include: ["docs/**"], exclude: ["**/old/**"] })).toEqual(["docs/a.md"]);
  });

  it("reads a file once however often it is named", async () => {
    const path = await put("a.md", "a");
    expect(await sources([path, root, join(root, "*.md")])).toEqual(["a.md"]);
  });

  it.each([["nowhere"], ["nowhere/*.md"], ["notes.pages"]])("says what is wrong with %s", async (name) => {
    await put("notes.pages", "x");
    await expect(findFiles([join(root, name)], all)).rejects.toBeInstanceOf(UserError);
    await expect(findFiles([join(root, name)], all)).rejects.toThrow(name);
  });
});

describe("readPages", () => {
  it("keeps the later of two versions of a package, drops copies and empty files, and counts them", async () => {
    for (const version of ["9.0.0", "10.0.0"]) {
      await put(`node_modules/.pnpm/tool@${version}/node_modules/tool/README.md`, `# Tool ${version}`);
      await put(`node_modules/.pnpm/copy${version}@1.0.0/node_modules/copy${version}/README.md`, "# The same text");
    }
    await put("node_modules/.pnpm/none@1.0.0/node_modules/none/README.md", "<!-- nothing -->");
    const { pages, counts } = await read([join(root, "node_modules/.pnpm/*/node_modules/*/README.md")]);
    expect(counts).toEqual({ empty: 1, identical: 1, older: 1, unreadable: 0 });
    expect(pages.map(({ file }) => file.source)).toEqual(["copy9.0.0/README.md", "tool/README.md"]);
    expect(pages[1]?.text).toBe("# Tool 10.0.0");
  });

  it("keeps pages of two folders apart that share a name", async () => {
    await put("one/index.md", "first");
    await put("two/index.md", "second");
    const { pages } = await read([join(root, "one"), join(root, "two")]);
    expect(new Set(pages.map(({ file }) => file.source)).size).toBe(2);
    expect(pages.map(({ text }) => text)).toEqual(["first", "second"]);
  });
});

describe("rows of JSONL", () => {
  it("keeps other keys as metadata, but no text", async () => {
    const path = await put(
      "docs.jsonl",
      `${JSON.stringify({ source: "u", title: "T", text: "Text", lang: "en", full_text: "all", empty: null })}\n` +
        `${JSON.stringify({ source: "v", description: "", full_text: "---\ndescription: D\n---\n# Head\n\nBody" })}\n` +
        `${JSON.stringify({ page_content: "P", fmt_content: "F", metadata: { source: "w", seq_num: 2 } })}\n`,
    );
    const { pages } = await read([path]);
    expect(
      pages.map((made) => ({
        text: made.text,
        source: made.page.source,
        title: titleOf(made.page, made),
        metadata: made.page.metadata,
      })),
    ).toEqual([
      { text: "Text", source: "u", title: "T", metadata: { source: "u", lang: "en" } },
      { text: "# Head\n\nBody", source: "v", title: "Head", metadata: { source: "v", description: "D" } },
      { text: "P", source: "w", title: undefined, metadata: { source: "w", seq_num: 2 } },
    ]);
  });

  it.each([
    [{ source: "u", body: "x" }, /:2: .*text: no text/],
    [{ text: "x" }, /:2: .*source: missing/],
    [{ source: "u", text: 7 }, /:2: .*text/],
    [{ gold_docs: [], questions: [] }, /:2: .*questions or answers/],
  ])("names line and field of %j", async (row, message) => {
    const path = await put("docs.jsonl", `{"source":"u","text":"x"}\n${JSON.stringify(row)}\n`);
    await expect(read([path])).rejects.toBeInstanceOf(DataError);
    await expect(read([path])).rejects.toThrow(message);
  });
});

describe("links to files", () => {
  it("are followed, but not in circles, and a file keeps its own name", async () => {
    await put("site/.rev/guide.md", "# Guide");
    await put("site/real.md", "# Real");
    await put("shared/terms.md", "# Terms");
    await symlink(".rev", join(root, "site", "..data"));
    await symlink("..data/guide.md", join(root, "site", "guide.md"));
    await symlink("real.md", join(root, "site", "alias.md"));
    await symlink(".", join(root, "site", "circle"));
    await symlink("../shared", join(root, "site", "more"));
    await symlink("nowhere.md", join(root, "site", "broken.md"));
    const { pages } = await read([join(root, "site")]);
    expect(pages.map(({ file }) => file.source)).toEqual(["guide.md", "more/terms.md", "real.md"]);
  });
});

describe("what is not read", () => {
  it("is counted by extension; a folder with nothing else is an error that says so", async () => {
    for (const name of ["a.md", "b.xyz", "c.XYZ", "LICENSE"]) await put(`mixed/${name}`, name);
    const { unread } = await findFiles([join(root, "mixed")], { include: [], exclude: ["LICENSE"] });
    expect([...unread]).toEqual([[".xyz", 2]]);
    await put("other/b.xyz", "b");
    await expect(findFiles([join(root, "other")], all)).rejects.toThrow(
      /no file of a kind that is read \(found 1 \.xyz\)/,
    );
  });

  it("is a file that is no text: one of many is passed over with a warning", async () => {
    await put("some/a.md", "# Fine");
    await writeFile(join(root, "some/b.md"), Buffer.alloc(100, 1));
    const { pages, counts, warnings } = await read([join(root, "some")]);
    expect(pages).toHaveLength(1);
    expect(counts.unreadable).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/b\.md: not a text/)]);
  });
});

describe("a folder saved from a site", () => {
  it("is read page by page, by the names that wget gives them", async () => {
    const page = (text: string): string =>
      `<!DOCTYPE html><html><head><title>${text} | Site</title></head><body><nav><a href="index.html">Home</a></nav><main><h1>${text}</h1><p>Text of ${text}.</p></main></body></html>`;
    await put("host/index.html", page("Start"));
    await put("host/guide/index.html", page("Guide"));
    await put("host/page?x=1.html", page("One"));
    await put("host/page?x=2&y=[a].html", page("Two"));
    await put("host/page@x=3.html", page("Three"));
    await put("host/page.html?x=4.5", page("Four"));
    await put("host/style.css?v=1.css", "p {}");
    await put("host/robots.txt.tmp", "");
    const { pages } = await read([join(root, "host")]);
    expect(pages.map(({ file, text }) => [file.source, text])).toEqual(
      expect.arrayContaining([
        ["guide/index.html", "# Guide\n\nText of Guide."],
        ["index.html", "# Start\n\nText of Start."],
        ["page?x=1.html", "# One\n\nText of One."],
        ["page?x=2&y=[a].html", "# Two\n\nText of Two."],
        ["page@x=3.html", "# Three\n\nText of Three."],
        ["page.html?x=4.5", "# Four\n\nText of Four."],
      ]),
    );
    expect(pages).toHaveLength(6);
    // The name holds signs of globs, but is a file.
    expect(await sources([join(root, "host/page?x=2&y=[a].html")])).toEqual(["page?x=2&y=[a].html"]);
  });
});

describe("includes", () => {
  it("are read from the project, not from outside of it", async () => {
    await put("book.toml", "");
    await put("code/a.rs", "fn a() {}");
    await put(
      "src/page.md",
      "```rust\n{{#include ../code/a.rs}}\n```\n\n{{#include ../../secret.md}}\n\n{{#include /etc/hostname}}",
    );
    const { pages, warnings } = await read([join(root, "src")]);
    expect(pages[0]?.text).toBe("```rust\nfn a() {}\n```");
    expect(warnings).toEqual([
      expect.stringMatching(/page\.md:5: takes in \.\.\/\.\.\/secret\.md/),
      expect.stringMatching(/page\.md:7: takes in \/etc\/hostname/),
    ]);
  });

  it("of a page in itself end", async () => {
    await put("a.md", "Once.\n\n{{#include a.md}}");
    const { pages, warnings } = await read([join(root, "a.md")]);
    expect(pages[0]?.text.split("Once.").length).toBeLessThan(12);
    expect(warnings.join()).toContain("take in one another");
  });
});

describe("rows of JSONL", () => {
  it("take url for source, and are read as the Markdown, HTML or plain text that they are", async () => {
    const rows = [
      { url: "https://e.org/a", text: "# A\n\nSet \\_x\\_.", lang: "en" },
      { url: "https://e.org/b", source: "b", text: "<html><body><h1>B</h1><p>1 &lt; 2</p></body></html>" },
      { source: "c", text: "2*3*4 is 24.\nC:\\_temp <name>\n\n    indented" },
    ];
    const path = await put("docs.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { pages } = await read([path]);
    expect(pages.map(({ text, page }) => [page.source, text, page.metadata])).toEqual([
      ["https://e.org/a", "# A\n\nSet _x_.", { lang: "en" }],
      ["b", "# B\n\n1 < 2", { source: "b", url: "https://e.org/b" }],
      ["c", "2*3*4 is 24.\nC:\\_temp <name>\n\n    indented", { source: "c" }],
    ]);
  });
});
