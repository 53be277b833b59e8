import { describe, expect, it } from "vitest";
import type { CutOptions } from "./cut/cut-page.js";
import { cutReadPage } from "./files/cut-pages.js";
import { makePassages, noPassages, type PassageOptions, type Passages, pageUrl } from "./passages.js";
import { readTextPage } from "./testing/read-text-page.js";

const options: PassageOptions & CutOptions = {
  chunkSize: 20,
  chunkOverlap: 0,
  count: (text) => text.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu)?.length ?? 0,
  minWords: 0,
};

async function passagesOf(text: string, given: Partial<typeof options> = {}): Promise<Passages> {
  const all = { ...options, ...given };
  const file = { path: "/x/guide/index.md", source: "guide/index.md" };
  const read = { ...(await readTextPage("guide/index.md", text)), file };
  const page = await cutReadPage(read, all, async () => {});
  return makePassages(page, all, noPassages());
}

const TEXT =
  "---\ntitle: Pumps\n---\n# Pumps\n\nThey move water from here to there.\n\n## Care {#care}\n\n### Oil\n\nOnce a year, on a dry day in May.";

describe("a passage can be cited", () => {
  it("by its page, its headings, its lines, and an address that opens there", async () => {
    const { passages } = await passagesOf(TEXT, { sourceUrl: "https://e.org/{page}" });
    expect(passages.map(({ passage }) => passage)).toEqual([
      {
        page_content: "# Pumps\n\nThey move water from here to there.",
        fmt_content:
          "Source: https://e.org/guide\nTitle: Pumps\nContent:\n# Pumps\n\nThey move water from here to there.",
        metadata: {
          source: "https://e.org/guide",
          title: "Pumps",
          headings: ["Pumps"],
          anchor: "pumps",
          lines: [4, 6],
          link: "https://e.org/guide#pumps",
          seq_num: 1,
        },
      },
      {
        page_content: "## Care\n\n### Oil\n\nOnce a year, on a dry day in May.",
        fmt_content: expect.stringContaining("\nTitle: Pumps > Care\nContent:\n"),
        metadata: {
          source: "https://e.org/guide",
          title: "Pumps",
          headings: ["Pumps", "Care"],
          anchor: "care",
          lines: [8, 12],
          link: "https://e.org/guide#care",
          seq_num: 2,
        },
      },
    ]);
  });

  it("and without an address by the path in the folder", async () => {
    const { passages } = await passagesOf(TEXT);
    expect(passages[0]?.passage.metadata).toMatchObject({ source: "guide/index.md", anchor: "pumps" });
    expect(passages[0]?.passage.metadata).not.toHaveProperty("link");
  });

  it("at the address that its path gives", () => {
    expect(pageUrl("https://e.org/{path}", "a b/c#.md")).toBe("https://e.org/a%20b/c%23.md");
    expect(pageUrl("https://e.org/{page}", "a/README.md")).toBe("https://e.org/a");
    expect(pageUrl("https://e.org/{page}", "index.html")).toBe("https://e.org/");
  });
});

describe("the bound in characters", () => {
  it("holds where a tokenizer knows no words", async () => {
    const text = Array.from({ length: 40 }, (_, i) => `ระบบคิวเก็บงาน${i}`).join("");
    const { passages } = await passagesOf(text, { count: () => 1, characters: 100 });
    expect(passages.length).toBeGreaterThan(5);
    for (const { passage } of passages) expect(passage.page_content.length).toBeLessThanOrEqual(100);
  });
});

describe("nothing is cut within", () => {
  it("a link or code in a line", async () => {
    const text = `${"one two ".repeat(4)}see [the long guide to, and of, all pumps](https://e.org) or \`run --all, now; please\` ${"three four ".repeat(4)}`;
    for (let chunkSize = 10; chunkSize < 24; chunkSize++) {
      const { passages } = await passagesOf(text, { chunkSize });
      const all = passages.map(({ passage }) => passage.page_content);
      expect(all.length).toBeGreaterThan(1);
      expect(all.some((one) => one.includes("the long guide to, and of, all pumps"))).toBe(true);
      expect(all.some((one) => one.includes("`run --all, now; please`"))).toBe(true);
    }
  });
});
