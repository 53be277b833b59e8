import { describe, expect, it } from "vitest";
import { readTextPage } from "../testing/read-text-page.js";
import { cutPage } from "./cut-page.js";

/** A tokenizer whose tokens are words and punctuation marks: sums of parts equal the whole. */
const count = (text: string): number => text.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu)?.length ?? 0;
const words = (number: number, word = "word"): string => Array.from({ length: number }, () => word).join(" ");
type Options = Parameters<typeof cutPage>[1];
const chunkText = async (text: string, options: Options): Promise<string[]> =>
  (await cutPage(await readTextPage("a.md", text), options)).map(({ content }) => content);
const cut = (text: string, chunkSize: number, chunkOverlap = 0): Promise<string[]> =>
  chunkText(text, { chunkSize, chunkOverlap, count });

/** Deterministic prose with headings, lists, code and tables. */
function page(seed: number): string {
  const parts: string[] = [];
  for (let i = 0; i < 30; i++) {
    const kind = (i * 7 + seed * 3) % 6;
    const sentences = Array.from(
      { length: 1 + ((i + seed) % 4) },
      (_, s) => `Sentence ${i} ${s} has ${words((i * s) % 17)}.`,
    );
    if (kind === 0) parts.push(`## Part ${i}`);
    else if (kind === 1) parts.push(sentences.map((sentence) => `- ${sentence}`).join("\n"));
    else if (kind === 2) parts.push(`\`\`\`js\n${sentences.join("\n")}\n\`\`\``);
    else if (kind === 3)
      parts.push(`| a | b |\n| --- | --- |\n${sentences.map((sentence) => `| ${sentence} | 1 |`).join("\n")}`);
    else parts.push(sentences.join(" "));
  }
  return parts.join("\n\n");
}

describe("limits", () => {
  it.each([16, 30, 50, 200])("no passage has more than %i tokens, and nothing of the text is lost", async (size) => {
    for (let seed = 0; seed < 5; seed++) {
      const text = page(seed);
      const passages = await cut(text, size, Math.floor(size / 4));
      expect(passages.length).toBeGreaterThan(1);
      for (const passage of passages) expect(count(passage)).toBeLessThanOrEqual(size);
      // A long sentence may be cut anywhere, so white space is made the same.
      const all = passages.join(" ").replace(/\s+/g, " ");
      for (const [marker] of text.matchAll(/Sentence \d+ \d+ has/g)) expect(all).toContain(marker);
    }
  });

  it("makes passages that are stretches of the text when no block had to be cut", async () => {
    const text = page(1);
    for (const passage of await cut(text, 200, 40)) expect(text).toContain(passage);
  });

  it("keeps to the limit with a tokenizer that counts a whole higher than its parts", async () => {
    // One more token for each line break within the text: parts counted alone have none.
    const grudging = (text: string): number => count(text) + (text.trim().match(/\n/g)?.length ?? 0);
    const text = Array.from({ length: 60 }, (_, i) => `Line ${i} is here.`).join("\n");
    const passages = await chunkText(text, { chunkSize: 40, chunkOverlap: 0, count: grudging });
    for (const passage of passages) expect(grudging(passage)).toBeLessThanOrEqual(40);
    expect(passages.join("\n")).toBe(text);
  });

  it("cuts a sentence at commas, then at words, then within a word", async () => {
    const clauses = `${words(20)}, ${words(20)}, ${words(20)}`;
    expect(await cut(clauses, 25)).toEqual([`${words(20)},`, `${words(20)},`, words(20)]);
    expect((await cut(words(50), 20)).every((passage) => count(passage) <= 20)).toBe(true);
    const characters = (text: string): number => [...text].length;
    const long = "😀".repeat(50);
    const pieces = await chunkText(long, { chunkSize: 20, chunkOverlap: 0, count: characters });
    expect(pieces.every((piece) => characters(piece) <= 20 && !piece.includes("\uFFFD"))).toBe(true);
    expect(pieces.join("")).toBe(long);
  });

  it("gives nothing for a text of white space", async () => {
    expect(await cut(" \n\n \t", 20)).toEqual([]);
  });

  it("counts tokens a few times per character, not quadratically", async () => {
    let counted = 0;
    const text = page(2).repeat(20);
    const counting = (part: string): number => {
      counted += part.length;
      return count(part);
    };
    await chunkText(text, { chunkSize: 100, chunkOverlap: 20, count: counting });
    expect(counted).toBeLessThan(6 * text.length);
  });
});

describe("where it cuts", () => {
  it("at a heading rather than where the passage is full", async () => {
    const text = `# One\n\n${words(20)}.\n\n${words(20)}.\n\n# Two\n\n${words(20)}.\n\n${words(20)}.`;
    expect(await cut(text, 60)).toEqual([
      `# One\n\n${words(20)}.\n\n${words(20)}.`,
      `# Two\n\n${words(20)}.\n\n${words(20)}.`,
    ]);
  });

  it("never leaves a heading without its text when that fits", async () => {
    const text = `${words(30)}.\n\n## Two\n\n${words(30)}.\n\n### Three\n\n${words(30)}.`;
    const passages = await cut(text, 40);
    expect(passages.map((passage) => passage.split("\n")[0])).toEqual([`${words(30)}.`, "## Two", "### Three"]);
  });

  it("between short sections only when they do not fit together", async () => {
    const text = `# A\n\n${words(10)}.\n\n# B\n\n${words(10)}.`;
    expect(await cut(text, 100)).toEqual([text]);
  });

  it("at a paragraph rather than a sentence, at a sentence rather than a line's wrap", async () => {
    const paragraphs = `${words(12)}. ${words(12)}.\n\n${words(12)}. ${words(12)}.`;
    expect(await cut(paragraphs, 40)).toEqual(paragraphs.split("\n\n"));
    const wrapped = `This sentence is long enough to be wrapped by an editor and then it\ngoes on. Then another sentence follows it and is wrapped too, so that\nit has two lines.`;
    const passages = await cut(wrapped, 20);
    expect(passages.at(-1)?.startsWith("Then another")).toBe(true);
  });

  it("not after a colon or within an abbreviation", async () => {
    const text = `${words(18)}. Do this:\n\n- ${words(14, "first")}\n- ${words(14, "second")}`;
    expect((await cut(text, 34))[1]?.startsWith("Do this:")).toBe(true);
    const abbreviated = `See e.g. Smith and others. ${words(12, "More")}.`;
    expect((await cut(abbreviated, 16))[0]).toBe("See e.g. Smith and others.");
  });

  it("at lines of plain text that read like headings", async () => {
    const text = `${words(30, "Intro")}.\nHow do I pay?\n${words(30, "pay")}.`;
    expect(await cut(text, 40)).toEqual([`${words(30, "Intro")}.`, `How do I pay?\n${words(30, "pay")}.`]);
  });

  it("keeps an anchor with its heading", async () => {
    const text = `${words(30)}.\n\n<a id="x"></a>\n\n## Two\n\n${words(30)}.`;
    const cuttings = await cutPage(await readTextPage("a.md", text), { chunkSize: 45, chunkOverlap: 0, count });
    expect(cuttings[1]).toMatchObject({ content: `## Two\n\n${words(30)}.`, anchor: "x", headings: ["Two"] });
  });
});

describe("code and tables", () => {
  const code = `\`\`\`js\n${Array.from({ length: 10 }, (_, i) => `call(${i});`).join("\n")}\n\`\`\``;
  const rows = Array.from({ length: 12 }, (_, i) => `| row ${i} | value |`);
  const table = `| name | what |\n| --- | --- |\n${rows.join("\n")}`;

  it("stay whole when they fit, whatever stands around", async () => {
    for (let before = 1; before < 60; before += 7) {
      const text = `${words(before)}.\n\n${code}\n\n${words(30)}.\n\n${table}\n\n${words(20)}.`;
      const passages = await cut(text, 130, 20);
      expect(passages.some((passage) => passage.includes(code))).toBe(true);
      expect(passages.some((passage) => passage.includes(table))).toBe(true);
    }
  });

  it("a code block that is too long is cut at lines, each part fenced", async () => {
    const passages = await cut(code, 40);
    expect(passages.length).toBeGreaterThan(1);
    for (const passage of passages) {
      expect(passage).toMatch(/^```js\n(call\(\d\);\n)+```$/);
      expect(count(passage)).toBeLessThanOrEqual(40);
    }
    expect(passages.join("\n").match(/call\(\d\);/g)).toEqual(code.match(/call\(\d\);/g));
  });

  it("a table that is too long is cut at rows, each part with its header", async () => {
    const passages = await cut(table, 60);
    expect(passages.length).toBeGreaterThan(1);
    for (const passage of passages) expect(passage).toMatch(/^\| name \| what \|\n\| --- \| --- \|\n\| row/);
    expect(passages.flatMap((passage) => passage.split("\n").slice(2))).toEqual(rows);
  });

  it("a heading inside a fence is code", async () => {
    const text = `\`\`\`sh\n# not a heading\nrun\n\`\`\`\n\n${words(20)}.`;
    expect((await cut(text, 25))[0]).toBe("```sh\n# not a heading\nrun\n```");
  });

  it("indented code is code, keeps its lines and stays whole", async () => {
    const indented = "    one();\n\n    two();";
    expect(await cut(`${words(14)}.\n\n${indented}\n\n${words(14)}.`, 16)).toEqual([
      `${words(14)}.`,
      "```\none();\n\ntwo();\n```",
      `${words(14)}.`,
    ]);
  });
});

describe("overlap", () => {
  const sentences = Array.from({ length: 20 }, (_, i) => `Number ${i} is ${words(5)}.`);

  it("repeats whole sentences, at most as many tokens as allowed", async () => {
    const passages = await cut(sentences.join(" "), 50, 20);
    expect(passages.length).toBeGreaterThan(2);
    passages.slice(1).forEach((passage, i) => {
      const before = passages[i] ?? "";
      const repeated = sentences.filter((sentence) => before.includes(sentence) && passage.includes(sentence));
      expect(repeated.length).toBe(2);
      expect(count(repeated.join(" "))).toBeLessThanOrEqual(20);
      expect(passage.startsWith(repeated[0] ?? "none")).toBe(true);
    });
  });

  it("is none at 0 and none across a heading", async () => {
    expect((await cut(sentences.join(" "), 50)).join(" ")).toBe(sentences.join(" "));
    const text = `# One\n\n${sentences.slice(0, 4).join(" ")}\n\n# Two\n\n${sentences.slice(4, 8).join(" ")}`;
    const passages = await cut(text, 45, 20);
    expect(passages.find((passage) => passage.includes("# Two"))?.startsWith("# Two")).toBe(true);
  });
});
