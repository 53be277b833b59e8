import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDocuments } from "../dataset.js";
import { formatContent } from "../document.js";
import { DataError, UserError } from "../errors.js";
import { readPickleDocuments } from "./read-documents.js";

const fixtures = JSON.parse(
  readFileSync(fileURLToPath(new URL("./fixtures/pickles.json", import.meta.url)), "utf8"),
) as { read: Record<string, string>; refused: Record<string, string> };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-pickle-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function bytesOf(group: "read" | "refused", name: string): Buffer {
  return Buffer.from(fixtures[group][name] ?? "", "base64");
}

async function store(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${name}.pkl`);
  await writeFile(path, bytes);
  return path;
}

async function failure(name: string, bytes: Uint8Array): Promise<Error> {
  const path = await store(name, bytes);
  return readPickleDocuments(path).then(
    () => {
      throw new Error(`${name} was read`);
    },
    (error: unknown) => error as Error,
  );
}

describe("databases as CPython writes them", () => {
  const names = Object.keys(fixtures.read).filter((name) => !name.startsWith("many"));

  it("has a fixture of every protocol and state", () => {
    expect(names.length).toBe(13);
  });

  it.each(names)("%s", async (name) => {
    const path = await store(name, bytesOf("read", name));
    const [first, second] = await readPickleDocuments(path);
    expect(first?.page_content).toBe("Grüße, 世界 😀\nsecond line \\u0041");
    expect(first?.fmt_content).toBe(`Source: https://example.org/a\nContent:\n${first?.page_content}`);
    expect(first?.metadata).toEqual({
      source: "https://example.org/a",
      seq_num: 1,
      score: 0.5,
      big: 2 ** 40,
      negative: -70000,
      flags: [true, false, null],
      tags: ["only"],
      nested: { list: [1, [2, "three"]], 4: "four" },
      raw: Buffer.from([0, 255]).toString("base64"),
      missing: null,
    });
    expect(second?.page_content).toBe("short");
    expect(second?.metadata).toEqual({ source: "s", title: "T" });
  });

  it("derives fmt_content when the object has none", async () => {
    const [, second] = await readPickleDocuments(await store("derived", bytesOf("read", "dataclass-4")));
    expect(second?.fmt_content).toBe(formatContent("short", { source: "s", title: "T" }));
  });

  it("reads several frames", async () => {
    const documents = await readPickleDocuments(await store("many", bytesOf("read", "many-frames-4")));
    expect(documents.map((document) => document.metadata.seq_num)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });
});

describe("what is refused", () => {
  it.each([
    ["system-0", /(posix|nt)\.system/],
    ["system-2", /(posix|nt)\.system/],
    ["system-4", /(posix|nt)\.system/],
    ["eval-4", /builtins\.eval/],
    ["getattr-4", /builtins\.getattr/],
    ["foreign-4", /elsewhere\.schema\.Document/],
    ["path-4", /pathlib/],
  ])("%s names the class and the byte, and runs nothing", async (name, expected) => {
    const error = await failure(name, bytesOf("refused", name));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(expected);
    expect(error.message).toMatch(/byte \d+: .*Nothing was run/);
    expect(error.message).toContain("documents.jsonl");
  });

  it("gives the offset of the opcode that names the class", async () => {
    const bytes = bytesOf("refused", "system-0");
    const error = await failure("offset", bytes);
    expect(error.message).toContain(`byte ${bytes.indexOf("cposix\nsystem")}:`);
  });

  it.each([
    ["no-source-4", /item 0 .*source/],
    ["no-text-4", /page_content is number/],
    ["huge-integer-4", /1180591620717411303424.*too large/],
    ["not-a-list-4", /holds a dict; expected a list/],
    ["list-of-text-4", /item 0: found a str/],
    ["holds-itself-4", /holds itself/],
    ["unfolds-4", /more than 100000 values/],
  ])("%s", async (name, expected) => {
    const error = await failure(name, bytesOf("refused", name));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(expected);
  });

  it.each([
    ["a number of a call", "cbuiltins\nset\n(I7\ntR."],
    ["a document made by a call", "clocal_rqa.schema.document\nDocument\n(tR."],
    ["a document with arguments", "clocal_rqa.schema.document\nDocument\n(I7\nt\x81."],
    ["a state on a list", "](I1\nlb."],
    ["an old-style instance", "(iposix\nsystem\n."],
    ["a persistent id", "Pabc\n."],
    ["an unknown opcode", "\xff."],
    ["a missing mark", "t."],
    ["an empty stack", "."],
    ["a memo entry never written", "g5\n."],
    ["a newer protocol", "\x80\x09."],
    ["a length beyond the file", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f."],
    ["a frame beyond the file", "\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N."],
    ["a frame in a frame", "\x95\x0a\x00\x00\x00\x00\x00\x00\x00\x95\x01\x00\x00\x00\x00\x00\x00\x00N."],
    ["too many marks", "(".repeat(2000)],
    ["an integer of many bytes", `\x8b\x00\x10\x00\x00${"\x01".repeat(4096)}.`],
    ["values left over", "NN."],
    ["nothing", ""],
  ])("%s is a DataError with a byte offset", async (name, text) => {
    const error = await failure("hand-made", Buffer.from(text, "latin1"));
    expect(error, name).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/byte \d+:/);
  });

  it("refuses every truncation of a file, and never reads one as shorter", async () => {
    for (const name of ["dataclass-0", "dataclass-2", "dataclass-4"]) {
      const bytes = bytesOf("read", name);
      for (let size = 0; size < bytes.length; size += 7) {
        expect(await failure("truncated", bytes.subarray(0, size)), `${name} at ${size}`).toBeInstanceOf(DataError);
      }
    }
  });

  it("says when there is no file", async () => {
    await expect(readPickleDocuments(join(folder, "none.pkl"))).rejects.toBeInstanceOf(UserError);
  });
});

describe("the reference's own files", () => {
  const data = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));
  it.for([
    ["faire/faire.pkl", 1758],
    ["databricks/databricks_web.pkl", 11],
  ] as const)("%s", async ([name, passages], context) => {
    const path = join(data, name);
    if (!existsSync(path)) context.skip(`${name} is not beside this checkout`);
    const documents = await readDocuments(path);
    expect(documents.length).toBe(passages);
    for (const document of documents) {
      expect(document.page_content).not.toBe("");
      expect(document.metadata.source).toMatch(/^https:/);
    }
    // The file's own fmt_content follows the format that we derive.
    const equal = documents.filter(
      (document) => document.fmt_content === formatContent(document.page_content, document.metadata),
    );
    expect(equal.length / passages).toBeGreaterThan(0.99);
  });
});
