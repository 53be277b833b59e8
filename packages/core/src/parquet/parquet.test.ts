import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteFile } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDocuments, readQa, readQuestions, streamTable } from "../dataset.js";
import { createDocument, type Document } from "../document.js";
import { DataError } from "../errors.js";
import { writeJsonl } from "../jsonl.js";
import { silentReporter } from "../progress.js";
import { writeRows } from "../write-rows.js";
import { openParquet } from "./read-parquet.js";
import { writeParquet } from "./write-parquet.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-parquet-"));
});
afterEach(() => rm(root, { recursive: true }));
const at = (name: string): string => join(root, name);

const documents: Document[] = [
  createDocument("Plain.", { source: "a.md", title: "A", headings: ["A", "B"], lines: [1, 2], seq_num: 1 }),
  createDocument('Odd: \u2028 \u0000 😀 "\\" \r\n\tﷺ e\u0301', { source: "b/ü.md", seq_num: 9007199254740991 }),
  createDocument("", {
    title: "Title first",
    source: "c",
    nested: { deep: [null, { x: -0.5e-7 }], empty: {}, list: [] },
    nothing: null,
    7: "a number first",
    half: "\ud83d",
  }),
];
const rows = documents.map((gold, i) => ({
  gold_docs: [gold, ...documents.slice(0, i)],
  hard_neg_docs: i === 0 ? [] : [documents[0] as Document],
  chat_history: i === 1 ? [{ speaker: "user", message: "Hi", source_documents: [gold], mood: null }] : [],
}));

async function drain(all: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of all);
}

const problem = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, String(error)).toBeInstanceOf(DataError);
  return (error as Error).message.replaceAll(root, "");
};

describe("Parquet holds what JSONL holds", () => {
  it("of a database: the same bytes again, with odd characters, nested metadata, nulls and their order", async () => {
    await writeJsonl(at("a.jsonl"), documents);
    await writeRows(at("a.parquet"), await readDocuments(at("a.jsonl")));
    const back = await readDocuments(at("a.parquet"));
    await writeJsonl(at("b.jsonl"), back);
    await writeJsonl(at("read.jsonl"), await readDocuments(at("a.jsonl")));
    expect(await readFile(at("b.jsonl"), "utf8")).toBe(await readFile(at("read.jsonl"), "utf8"));
    expect((await readFile(at("a.parquet"))).subarray(0, 4).toString()).toBe("PAR1");
    expect((await openParquet(at("a.parquet"))).columns).toEqual([
      ...["page_content", "fmt_content", "source", "title", "metadata"],
    ]);
  });

  it("of questions and answers, with what further keys a row has", async () => {
    const asked = rows.map((row, i) => ({
      ...row,
      questions: [`Why ${i}?`, "Ünd?"].slice(0, i),
      prompt_model: "x",
      gold_relevance: [1, 2],
      more: { of: null },
    }));
    const answered = rows.map((row, i) => ({ ...row, question: `Why ${i}?`, gold_answer: `Since ${i}.`, kind: ["a"] }));
    for (const [name, all] of Object.entries({ q: asked, qa: answered })) {
      await writeJsonl(at(`${name}.jsonl`), all);
      await writeRows(at(`${name}.parquet`), all);
    }
    expect(await readQuestions(at("q.parquet"))).toEqual(await readQuestions(at("q.jsonl")));
    expect(await readQa(at("qa.parquet"), silentReporter)).toEqual(await readQa(at("qa.jsonl"), silentReporter));
    const all: unknown[] = [];
    for await (const row of streamTable(at("qa.parquet"))) all.push(row);
    expect(all).toEqual((await readQa(at("qa.jsonl"), silentReporter)).map(({ line: _, ...row }) => row));
  });

  it("of many row groups, one of which is in memory at a time", async () => {
    function* many(): Generator<Document> {
      for (let i = 0; i < 400; i++) yield createDocument(`${i} `.padEnd(200_000, "x"), { source: `s${i}` });
    }
    await writeParquet(at("many.parquet"), many());
    const { read, rows: count } = await openParquet(at("many.parquet"));
    expect(count).toBe(400);
    let next = 0;
    for await (const { source } of read()) expect(source).toBe(`s${next++}`);
    expect(next).toBe(400);
  });

  it("but no half of a character outside of metadata", async () => {
    const half = [documents[0], createDocument("half \ud83d", { source: "a" })];
    expect(await problem(writeParquet(at("half.parquet"), half))).toMatch(
      /^\/half\.parquet: row 2 cannot be Parquet: page_content holds half of a character/,
    );
    await expect(readFile(at("half.parquet"))).rejects.toThrow("ENOENT");
    expect(await problem(writeParquet(at("x.parquet"), [{ passages: 1 }]))).toMatch(
      /only passages, questions and answers are written as Parquet, and row 1 is none of these \(its keys: passages\)/,
    );
  });
});

it("a folder of parts, as Spark leaves it, is one table", async () => {
  await mkdir(at("parts"));
  await writeParquet(at("parts/part-00001-x.snappy.parquet"), documents.slice(1));
  await writeParquet(at("parts/part-00000-x.snappy.parquet"), documents.slice(0, 1));
  await writeFile(at("parts/_SUCCESS"), "");
  const all: unknown[] = [];
  for await (const row of streamTable(at("parts"))) all.push(row);
  expect(all).toEqual(documents);
  await mkdir(at("none"));
  expect(await problem(drain(streamTable(at("none"))))).toMatch(/\/none: no file of rows \(\.parquet, \.jsonl\)/);
});

describe("Parquet of other programs", () => {
  it("columns beside page_content are metadata, large integers keep their digits, times are texts", async () => {
    parquetWriteFile({
      filename: at("other.parquet"),
      columnData: [
        { name: "page_content", data: ["One.", "Two."], type: "STRING" },
        { name: "source", data: ["u", "v"], type: "STRING" },
        { name: "id", data: [2n ** 60n + 1n, 5n], type: "INT64" },
        { name: "score", data: [0.5, null], type: "DOUBLE" },
        { name: "at", data: [new Date(0), null], type: "TIMESTAMP" },
        { name: "metadata", data: ['{"source":"old","tags":["a"]}', null], type: "STRING" },
        { name: "extra", data: [{ a: [1, null] }, null], type: "JSON" },
      ],
    });
    expect((await readDocuments(at("other.parquet"))).map(({ metadata }) => metadata)).toEqual([
      {
        ...{ source: "u", tags: ["a"], id: "1152921504606846977", score: 0.5, at: "1970-01-01T00:00:00.000Z" },
        extra: { a: [1, null] },
      },
      { source: "v", id: 5 },
    ]);
  });

  it("of DuckDB: compressed by zstd, metadata as a struct, lists, large integers, dates, and no fmt_content", async () => {
    const path = fileURLToPath(new URL("fixtures/duckdb.parquet", import.meta.url));
    const [first, second, ...others] = await readDocuments(path);
    expect(first).toEqual(
      createDocument("The proxy option is read first.", {
        ...{ source: "docs/proxy.md", title: "Proxy", headings: ["Options", "Ü"], n: 1 },
        ...{ id: "9007199254740993", day: "2026-01-02T00:00:00.000Z", tags: ["a", "b"], ok: true },
      }),
    );
    expect(second?.metadata).toEqual({ source: "docs/none.md", n: 2, id: 7 });
    expect(others).toHaveLength(3000);
  });

  it.each<[string, Buffer | string, RegExp]>([
    [
      "text",
      "page_content\nOne.\n",
      /^\/text\.parquet: not Parquet \(it begins with "page", not "PAR1"\)\. Give a Parquet/,
    ],
    ["empty", "", /not Parquet \(it begins with "", not "PAR1"\)/],
    ["encrypted", "PARE....PARE", /is encrypted Parquet/],
    ["short", "PAR1", /Parquet that is cut short \(its end is missing\)\. Copy it or write it again\.$/],
    [
      "footer",
      Buffer.from("PAR1xxxxxxxx\u0001\u0000\u0000\u0000PAR1", "latin1"),
      /Parquet whose footer cannot be read/,
    ],
  ])("what is none, cut short or damaged is one sentence: %s", async (name, bytes, message) => {
    await writeFile(at(`${name}.parquet`), bytes);
    expect(await problem(readDocuments(at(`${name}.parquet`)))).toMatch(message);
  });

  it("names rows that are damaged, columns that are missing, and files of something else", async () => {
    await writeParquet(at("a.parquet"), documents);
    const whole = await readFile(at("a.parquet"));
    await writeFile(at("cut.parquet"), whole.subarray(0, whole.length - 50));
    expect(await problem(readDocuments(at("cut.parquet")))).toMatch(/cut short/);
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 4, 60);
    await writeFile(at("damaged.parquet"), damaged);
    expect(await problem(readDocuments(at("damaged.parquet")))).toMatch(
      /^\/damaged\.parquet: rows 1 to 3 cannot be read \(.*\)\. Copy the file or write it again\.$/,
    );
    parquetWriteFile({
      filename: at("columns.parquet"),
      columnData: [
        { name: "page_content", data: ["One."], type: "STRING" },
        { name: "url", data: ["u"], type: "STRING" },
      ],
    });
    expect(await problem(readDocuments(at("columns.parquet")))).toMatch(
      /row 1: not a passage .*metadata\.source: .* Its columns are page_content, url: rename them, or add what is missing\./,
    );
    expect(await problem(readQuestions(at("a.parquet")))).toMatch(/This looks like a document database/);
    parquetWriteFile({
      filename: at("json.parquet"),
      columnData: [
        { name: "page_content", data: ["One."], type: "STRING" },
        { name: "metadata", data: ["{source"], type: "STRING" },
      ],
    });
    expect(await problem(readDocuments(at("json.parquet")))).toMatch(/row 1: metadata is a text that is no JSON/);
    parquetWriteFile({
      filename: at("bytes.parquet"),
      columnData: [{ name: "page_content", data: [new Uint8Array([0xff, 0xfe])], type: "BYTE_ARRAY" }],
    });
    expect(await problem(readDocuments(at("bytes.parquet")))).toMatch(
      /rows 1 to 1 cannot be read \(a text is not UTF-8/,
    );
  });
});
