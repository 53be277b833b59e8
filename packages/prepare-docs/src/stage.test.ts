import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CancelledError, readDocuments, type StageContext, silentReporter, UserError } from "@rag-ft/core";
import { loadTokenizer } from "@rag-ft/models";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { splitList } from "./settings.js";
import { prepareDocs } from "./stage.js";

/** A tokenizer of words and punctuation marks, all unknown to it. */
const WORDS = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    { id: 0, content: "[UNK]", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  normalizer: null,
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: null,
  decoder: null,
  model: {
    type: "WordPiece",
    vocab: { "[UNK]": 0 },
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
  },
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-stage-"));
  await writeFile(join(root, "tokenizer.json"), JSON.stringify(WORDS));
  await writeFile(join(root, "tokenizer_config.json"), JSON.stringify({ tokenizer_class: "PreTrainedTokenizerFast" }));
  await writeFile(join(root, "config.json"), JSON.stringify({ model_type: "bert" }));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const context = (signal = new AbortController().signal): StageContext => ({
  reporter: silentReporter,
  signal,
  env: {},
});

async function run(settings: Record<string, unknown>, given = context()): ReturnType<typeof prepareDocs.run> {
  const whole = { document_path: join(root, "docs.jsonl"), tokenizer: root, save_dir: join(root, "out"), ...settings };
  return prepareDocs.run(prepareDocs.settings.parse(whole), given);
}

describe("prepare-docs", () => {
  const sentences = (number: number): string =>
    Array.from({ length: number }, (_, i) => `Sentence ${i} says one thing.`).join(" ");

  it("takes the pages of a site by its sitemap, with their addresses", async () => {
    const server = createServer((request, response) => {
      const { host } = request.headers;
      if (request.url === "/sitemap.xml") {
        const entries = ["a", "b.pdf", "none"].map((page) => `<url><loc>http://${host}/${page}</loc></url>`).join("");
        response.writeHead(200, { "content-type": "application/xml" }).end(`<urlset>${entries}</urlset>`);
      } else if (request.url === "/a") {
        response.writeHead(200, { "content-type": "text/html" }).end('<main><h2 id="use">Use</h2><p>Text.</p></main>');
      } else if (request.url === "/b.pdf") response.writeHead(200, { "content-type": "image/png" }).end("x");
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const given = { ...context(), env: { RAG_FT_CACHE: join(root, "cache") } };
      const { summary, record } = await run(
        { document_path: `${site}/sitemap.xml`, source_url: "https://e.org/{path}" },
        given,
      );
      const [passage, ...others] = await readDocuments(join(root, "out", "documents.jsonl"));
      expect(others).toEqual([]);
      expect(passage?.metadata).toMatchObject({ source: `${site}/a`, link: `${site}/a#use` });
      expect(summary).toContain("not read: 1 image/png, 1 pages that could not be fetched");
      expect(record?.files_not_read).toEqual({ "image/png": 1, "pages that could not be fetched": 1 });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  async function putDocs(...rows: unknown[]): Promise<void> {
    await writeFile(join(root, "docs.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }

  it("writes a document database that later stages read", async () => {
    await putDocs(
      { source: "u", title: "T", text: sentences(20) },
      { source: "v", text: "# V\n\nShort." },
      { source: "w", text: " \n" },
      { source: "u", title: "T", text: "Another section." },
      { source: "v", text: "# V\n\nShort." },
    );
    const result = await run({ chunk_size: "30", chunk_overlap_size: "6", save_name: "base.pkl" });
    expect(result.outputs).toEqual([join(root, "out", "base.jsonl")]);
    const documents = await readDocuments(join(root, "out", "base.jsonl"));
    const tokenizer = await loadTokenizer(root);
    expect(documents.every((document) => tokenizer.count(document.page_content) <= 30)).toBe(true);
    const ofU = documents.filter((document) => document.metadata.source === "u");
    expect(ofU.map((document) => document.metadata.seq_num)).toEqual(ofU.map((_, i) => i + 1));
    expect(ofU.length).toBeGreaterThan(4);
    expect(ofU[0]?.fmt_content).toBe(`Source: u\nTitle: T\nContent:\n${ofU[0]?.page_content}`);
    expect(documents.filter((document) => document.metadata.source === "v").length).toBe(1);
    expect(result.figures).toMatchObject({ documents: 4, sources: 2, passages: ofU.length + 1, skipped: 2 });
    expect(result.summary).toContain("1 pages without text, 1 passages twice");
  });

  it("drops passages of fewer words than min_words", async () => {
    await putDocs({ source: "u", text: sentences(3) }, { source: "v", text: "Too short." });
    const result = await run({ min_words: 5 });
    expect(result.figures).toMatchObject({ passages: 1, skipped: 1 });
  });

  it("finds passages that another contains, and leaves them out and lists them when asked to", async () => {
    const part = "Orders ship within two days of payment.";
    await putDocs(
      { source: "part", text: part },
      { source: "whole", text: `${part} Returns are free.` },
      { source: "other", text: "Something else entirely is said here." },
      { source: "copy", text: `${part} RETURNS are free!` },
    );
    const all = await run({});
    expect(all.figures).toMatchObject({ passages: 4, near_duplicates: 2, skipped: 0 });
    expect(all.summary).toContain("2 passages are contained in another one");

    const result = await run({ dedupe: true });
    const list = join(root, "out", "documents.dropped.jsonl");
    expect(result.outputs).toEqual([join(root, "out", "documents.jsonl"), list]);
    expect(result.figures).toMatchObject({ passages: 2, near_duplicates: 2, skipped: 2 });
    const kept = await readDocuments(join(root, "out", "documents.jsonl"));
    expect(kept.map(({ metadata }) => metadata.source)).toEqual(["whole", "other"]);
    const dropped = (await readFile(list, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(dropped).toEqual([
      {
        page_content: part,
        metadata: { source: "part", seq_num: 1 },
        contained_in: { source: "whole", seq_num: 1 },
        share: 1,
      },
      expect.objectContaining({ contained_in: { source: "whole", seq_num: 1 }, share: 1 }),
    ]);

    await run({});
    expect(existsSync(list)).toBe(false);
  });

  it("reads only what has changed, and writes what it would have written without that", async () => {
    const docs = join(root, "docs");
    await mkdir(docs);
    const page = (name: string, text: string): Promise<void> => writeFile(join(docs, name), `# Page\n\n${text}\n`);
    for (let i = 0; i < 5; i++) await page(`${i}.md`, `${sentences(4)} Page ${i} says it.`);
    const database = join(root, "out", "documents.jsonl");
    const list = join(root, "out", "documents.dropped.jsonl");
    const settings = { document_path: docs, dedupe: true, chunk_size: 20, chunk_overlap_size: 0 };
    const both = async (): Promise<string> => `${await readFile(database, "utf8")}\n${await readFile(list, "utf8")}`;
    await run(settings);
    const first = await both();
    await page("3.md", `${sentences(5)} Page 3 says more.`);
    const second = await run(settings);
    expect(second.summary).toContain("reused: 4 pages of files that have not changed since the last run");
    expect(second.record).toMatchObject({ pages_reused: 4 });
    const reused = await both();
    expect(reused).not.toBe(first);
    await rm(join(root, "out"), { recursive: true });
    expect((await run(settings)).record).not.toHaveProperty("pages_reused");
    expect(await both()).toBe(reused);
    expect((await run({ ...settings, chunk_size: 30 })).record).not.toHaveProperty("pages_reused");
    // What does not change how pages are cut is no reason to cut them again.
    const other = await run({ ...settings, chunk_size: 30, min_words: 3, source_url: "https://e.org/{path}" });
    expect(other.record).toMatchObject({ pages_reused: 5 });
    expect((await readDocuments(database))[0]?.metadata.source).toBe("https://e.org/0.md");
    await writeFile(join(root, "tokenizer.json"), JSON.stringify({ ...WORDS, padding: {} }));
    expect((await run({ ...settings, chunk_size: 30 })).record).not.toHaveProperty("pages_reused");
    await rm(join(root, "out"), { recursive: true });
    await prepareDocs.assume?.(
      prepareDocs.settings.parse({ ...settings, tokenizer: root, save_dir: join(root, "out") }),
      context(),
    );
    expect(existsSync(join(root, "out"))).toBe(false);
  });

  it("leaves the earlier database whole when a line is bad", async () => {
    await putDocs({ source: "u", text: "Good." });
    await run({});
    const before = await readFile(join(root, "out", "documents.jsonl"), "utf8");
    await putDocs({ source: "u", text: "Other." }, { text: "no source" });
    await expect(run({})).rejects.toThrow(/docs\.jsonl:2:/);
    expect(await readFile(join(root, "out", "documents.jsonl"), "utf8")).toBe(before);
  });

  it("refuses settings that cannot work", async () => {
    await putDocs({ source: "u", text: "Good." });
    await expect(run({ chunk_size: 50, chunk_overlap_size: 50 })).rejects.toBeInstanceOf(UserError);
    await expect(run({ tokenizer: join(root, "out", "none") })).rejects.toBeInstanceOf(UserError);
    await expect(run({ min_words: 10 })).rejects.toThrow(/No passage/);
    expect(prepareDocs.settings.safeParse({ document_path: "", save_dir: "x" }).success).toBe(false);
    expect(prepareDocs.settings.safeParse({ document_path: "x", save_dir: "x", chunk_size: 3 }).success).toBe(false);
  });

  it("counts by kind what is not part of passages, lists kinds of files, and links to published pages", async () => {
    await mkdir(join(root, "site"));
    await writeFile(
      join(root, "site", "a.html"),
      "<body><nav>Home</nav><main><h1 id='top'>A</h1><p>Some text.</p></main></body>",
    );
    await writeFile(join(root, "site", "b.xyz"), "?");
    const warnings: string[] = [];
    const reporter = { ...silentReporter, warn: (message: string) => void warnings.push(message) };
    const settings = { document_path: join(root, "site"), source_url: "https://e.org/{path}" };
    const result = await run(settings, { ...context(), reporter });
    expect(result.record).toEqual({ left_out: { "parts outside of the main part": 1 }, files_not_read: { ".xyz": 1 } });
    expect(result.summary).toContain("not part of the passages: 1 parts outside of the main part");
    expect(result.summary).toContain("not read: 1 .xyz");
    const [passage] = await readDocuments(result.outputs[0] ?? "");
    expect(passage?.metadata).toMatchObject({ source: "https://e.org/a.html", link: "https://e.org/a.html#top" });
    // All words are unknown to the test's tokenizer.
    expect(warnings).toEqual([expect.stringMatching(/does not know 100\.0 % .*it knows no script/)]);
    expect(prepareDocs.settings.safeParse({ ...settings, save_dir: "x", source_url: "https://e.org/" }).success).toBe(
      false,
    );
  });

  it("shows what is left out of one page, and writes nothing", async () => {
    await writeFile(join(root, "a.md"), "# A\n\nText.\n\n<!-- a remark -->\n");
    const result = await run({ document_path: join(root, "a.md"), explain: "a.md", tokenizer: join(root, "none") });
    expect(result.summary).toBe(
      "a.md: 10 characters in 2 blocks are read. Left out:\n  line 5, comments: <!-- a remark -->",
    );
    expect(existsSync(join(root, "out"))).toBe(false);
    await expect(run({ document_path: join(root, "a.md"), explain: "b.md" })).rejects.toThrow(
      /no file of document_path has .* b\.md/,
    );
  });

  it("stops when asked to, and writes nothing", async () => {
    await putDocs({ source: "u", text: "Good." });
    const controller = new AbortController();
    controller.abort();
    await expect(run({}, context(controller.signal))).rejects.toBeInstanceOf(CancelledError);
    expect(existsSync(join(root, "out"))).toBe(false);
  });

  it("takes paths as a list or with commas, but not those in braces", () => {
    expect(splitList("a, b/*.{md,html} ,c")).toEqual(["a", "b/*.{md,html}", "c"]);
    expect(prepareDocs.settings.parse({ document_path: ["a", "b"], save_dir: "x" }).document_path).toEqual(["a", "b"]);
  });
});

describe("real pages", () => {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const models = here("../../../.cache/models/e5-small-v2");

  it.for(["faire", "databricks"])("%s: no passage above the limit, gold sources all there", async (name, test) => {
    const folder = here(`../../../../shared/data/${name}`);
    if (!existsSync(folder) || !existsSync(models)) test.skip(`${name} pages or e5-small-v2 are not here`);
    const result = await run({ document_path: join(folder, "docs.jsonl"), tokenizer: models });
    expect(result.figures?.tokens_max).toBeLessThanOrEqual(400);
    const documents = await readDocuments(result.outputs[0] ?? "");
    const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    const bySource = new Map<string, Set<string>>();
    for (const { metadata, page_content } of documents) {
      const known = bySource.get(metadata.source) ?? new Set();
      for (const word of words(page_content)) known.add(word);
      bySource.set(metadata.source, known);
    }
    const lines = (await readFile(join(folder, "eval_w_q.jsonl"), "utf8")).trim().split("\n");
    for (const line of lines) {
      const [gold] = (JSON.parse(line) as { gold_docs: { page_content: string; metadata: { source: string } }[] })
        .gold_docs;
      const known = bySource.get(gold?.metadata.source ?? "");
      expect(known, gold?.metadata.source).toBeDefined();
      // What the reference cut from the page is in our passages of it too.
      const own = words(gold?.page_content ?? "");
      const found = own.filter((word) => known?.has(word)).length / own.length;
      expect(found, gold?.metadata.source).toBeGreaterThan(0.95);
    }
  });
});
