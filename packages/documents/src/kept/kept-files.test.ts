import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutPages } from "../files/cut-pages.js";
import { findFiles } from "../files/find-files.js";
import { noCounts } from "../files/read-pages.js";
import { KeptFiles } from "./kept-files.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-kept-"));
  for (const name of ["a", "b", "c"])
    await put(`${name}.md`, `# Page ${name}\n\nText of ${name}. [x](y\n\n<!-- left -->\n`);
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function put(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, "docs", name)), { recursive: true });
  await writeFile(join(root, "docs", name), text);
}

interface Run {
  /** Texts of passages, by source. */
  texts: string[];
  /** All that is said of the pages, as JSON. */
  all: string;
  /** Names of pages whose text was cut in this run. */
  cut: string[];
  reused: number;
  warnings: string[];
}

const path = (): string => join(root, "kept");

async function run({
  madeBy = "m",
  whole = true,
  most = Number.POSITIVE_INFINITY,
  after = async () => {},
} = {}): Promise<Run> {
  const warnings: string[] = [];
  const made: Run = { texts: [], all: "", cut: [], reused: 0, warnings };
  const warn = (message: string): void => void warnings.push(message.replace(root, ""));
  const kept = await KeptFiles.open(path(), { madeBy, warn });
  const { files } = await findFiles([join(root, "docs")], { include: [], exclude: [] });
  const counted = new Set<string>();
  const count = (text: string): number => {
    for (const [, name] of text.matchAll(/Page (\w+)/g)) counted.add(name ?? "");
    return text.length;
  };
  const options = { turn: async () => {}, counts: noCounts(), cut: { chunkSize: 100, chunkOverlap: 0, count } };
  const onReused = (pages: number): void => {
    made.reused += pages;
  };
  const pages: unknown[] = [];
  for await (const page of cutPages(files, { ...options, warn, onReused, kept })) {
    made.texts.push(...page.cuttings.map(({ content }) => content));
    const { title, metadata } = page.page;
    pages.push([page.file.source, title, metadata, page.hash, page.cuttings, page.leftOut.counts()]);
    if (pages.length >= most) break;
    await after();
  }
  await kept.save(whole);
  return { ...made, all: JSON.stringify(pages), cut: [...counted] };
}

describe("KeptFiles", () => {
  it("gives a second run the same pages, of which none is cut", async () => {
    const first = await run();
    expect(first).toMatchObject({ cut: ["a", "b", "c"], reused: 0 });
    const second = await run();
    expect(second).toMatchObject({ cut: [], reused: 3, all: first.all });
    await rm(path());
    expect((await run()).all).toBe(first.all);
  });

  it("cuts a changed page alone, and forgets those that are gone", async () => {
    await run();
    await put("b.md", "# Page b\n\nOther text.");
    await rm(join(root, "docs", "c.md"));
    expect(await run()).toMatchObject({ cut: ["b"], reused: 1, texts: [expect.anything(), "# Page b\n\nOther text."] });
    expect(await readFile(path(), "utf8")).not.toContain("Page c");
  });

  it("cuts a page again when a file that it takes in changes, comes or goes", async () => {
    await put("b.md", "# Page b\n\n{{#include parts/part.txt}}\n\n{{#include none.txt}}");
    await put("parts/part.txt", "One.");
    const first = await run();
    expect(first.warnings).toEqual([expect.stringContaining("none.txt, which is not there")]);
    expect(await run()).toMatchObject({ cut: [], warnings: first.warnings, all: first.all });
    await put("parts/part.txt", "Two.");
    const changed = await run();
    expect(changed.cut).toEqual(["b"]);
    expect(changed.texts.join()).toContain("Two.");
    await put("none.txt", "Three.");
    expect(await run()).toMatchObject({ cut: ["b"], warnings: [] });
    await rm(join(root, "docs", "parts", "part.txt"));
    expect(await run()).toMatchObject({
      cut: ["b"],
      warnings: [expect.stringContaining("part.txt, which is not there")],
    });
  });

  it("cuts all again for another maker", async () => {
    await run();
    expect(await run({ madeBy: "n" })).toMatchObject({ cut: ["a", "b", "c"], reused: 0, warnings: [] });
    expect((await run({ madeBy: "n" })).reused).toBe(3);
  });

  it("makes again what is damaged, and says so", async () => {
    const { all } = await run();
    const text = await readFile(path(), "utf8");
    await writeFile(path(), text.replace("Text of b", "Test of b"));
    const mended = await run();
    expect(mended).toMatchObject({ cut: ["b"], reused: 2, all });
    expect(mended.warnings).toEqual([expect.stringMatching(/^\/kept: 1 lines are damaged; .* read again\.$/)]);
    expect(await run()).toMatchObject({ reused: 3, warnings: [], all });
    for (const broken of ["", "none of ours\n", Buffer.from([0xff, 0xfe, 10])]) {
      await writeFile(path(), broken);
      const other = await run();
      expect(other).toMatchObject({ cut: ["a", "b", "c"], all });
      expect(other.warnings.length).toBe(broken === "" ? 0 : 1);
    }
  });

  it("keeps what was cut before a fault, and what it had of the files after it", async () => {
    await run();
    await put("a.md", "# Page a\n\nNew.");
    await put("c.md", "# Page c\n\nNew.");
    await run({ whole: false, most: 2 });
    expect(await run()).toMatchObject({ cut: ["c"], reused: 2 });
  });

  it("does not keep a page that changed while it was read", async () => {
    await run({ after: () => utimes(join(root, "docs", "b.md"), 1, 1) });
    expect((await run()).cut).toEqual(["b"]);
  });

  it("does not write when nothing has changed, and warns when it cannot", async () => {
    await run();
    await utimes(path(), 1, 1);
    expect((await run()).reused).toBe(3);
    expect((await stat(path())).mtimeMs).toBe(1000);
    await rm(path());
    await mkdir(join(path(), "taken"), { recursive: true });
    const { texts, warnings } = await run();
    expect(texts).toHaveLength(3);
    expect(warnings).toEqual([expect.stringContaining("cannot be used"), expect.stringContaining("cannot be written")]);
  });
});
