import { mkdtempSync, readFileSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "./load-tokenizer.js";

interface Expected {
  text: string;
  ids: number[];
  plain: number[];
  decoded: string;
}

const fixture = (kind: string): string => join(import.meta.dirname, "fixtures", kind);

const expectedOf = (kind: string): Expected[] => JSON.parse(readFileSync(join(fixture(kind), "expected.json"), "utf8"));

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "tokenizer-"));
}

const KINDS = [
  "word-piece",
  "byte-bpe",
  "byte-bpe-split",
  "byte-bpe-nfc",
  "byte-bpe-roberta",
  "metaspace-bpe",
  "unigram",
  "unigram-metaspace",
];

describe.each(KINDS)("%s", (kind) => {
  const rows = expectedOf(kind);

  it("the stored ids are worth comparing with", () => {
    expect(rows.length).toBeGreaterThan(25);
    expect(new Set(rows.flatMap((row) => row.ids)).size).toBeGreaterThan(100);
  });

  it.each(rows.map((row) => [JSON.stringify(row.text), row] as const))("same ids as Python for %s", async (_, row) => {
    const tokenizer = await loadTokenizer(fixture(kind));
    expect(tokenizer.encode(row.text)).toEqual(row.ids);
    expect(tokenizer.encode(row.text, { special: false })).toEqual(row.plain);
    expect(tokenizer.count(row.text)).toBe(row.plain.length);
    // Back to text, JavaScript's UTF-8 decoder leaves out a byte order mark.
    const decoded = tokenizer.decode(row.ids, { skipSpecial: true });
    expect(decoded.replaceAll("\uFEFF", "")).toBe(row.decoded.replaceAll("\uFEFF", ""));
  });
});

describe("loadTokenizer", () => {
  it("knows pad, stop and named tokens, and the declared limit", async () => {
    const bert = await loadTokenizer(fixture("word-piece"));
    expect(bert).toMatchObject({ padId: 0, eosId: undefined, modelMaxLength: 512 });
    expect(bert.tokenId("[MASK]")).toBe(4);
    expect(bert.tokenId("no such token")).toBeUndefined();
    const chat = await loadTokenizer(fixture("byte-bpe"));
    expect(chat).toMatchObject({ padId: 2, eosId: 2, modelMaxLength: 2048 });
    // Tokens given as objects, no pad token, a limit of 1e30 for none.
    expect(await loadTokenizer(fixture("byte-bpe-split"))).toMatchObject({
      padId: 2,
      eosId: 2,
      modelMaxLength: undefined,
    });
  });

  it("reads special tokens inside a text as such, and leaves them out on request", async () => {
    const tokenizer = await loadTokenizer(fixture("byte-bpe"));
    const ids = tokenizer.encode("<|im_start|>user\nHi<|im_end|>");
    expect(ids[0]).toBe(1);
    expect(ids.at(-1)).toBe(2);
    expect(tokenizer.decode(ids)).toBe("<|im_start|>user\nHi<|im_end|>");
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("user\nHi");
  });

  it("does not apply the truncation and padding that tokenizer.json sets", async () => {
    const settings = JSON.parse(await readFile(join(fixture("word-piece"), "tokenizer.json"), "utf8"));
    expect(settings.truncation.max_length).toBe(8);
    expect(settings.padding).not.toBeNull();
    const tokenizer = await loadTokenizer(fixture("word-piece"));
    expect(tokenizer.encode("install ".repeat(40)).length).toBeGreaterThan(40);
    expect(tokenizer.encode("install").length).toBeLessThan(8);
  });

  it("works without tokenizer_config.json, and takes special_tokens_map.json in its place", async () => {
    const folder = temporaryFolder();
    await cp(join(fixture("byte-bpe"), "tokenizer.json"), join(folder, "tokenizer.json"));
    expect(await loadTokenizer(folder)).toMatchObject({ padId: 0, eosId: undefined });
    await writeFile(join(folder, "special_tokens_map.json"), '{"eos_token": {"content": "<|im_end|>"}}');
    expect(await loadTokenizer(folder)).toMatchObject({ padId: 2, eosId: 2 });
    await rm(folder, { recursive: true });
  });

  it("says what is missing or malformed", async () => {
    const folder = temporaryFolder();
    await expect(loadTokenizer(folder)).rejects.toThrow(UserError);
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer\.json: no such file/);
    const path = join(folder, "tokenizer.json");
    await writeFile(path, '{"model": ');
    await expect(loadTokenizer(folder)).rejects.toThrow(DataError);
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer\.json: not valid JSON/);
    await writeFile(path, "[]");
    await expect(loadTokenizer(folder)).rejects.toThrow(/not a tokenizer description/);
    await writeFile(path, '{"model": {"type": "Abacus", "vocab": {}}}');
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer\.json: not a tokenizer description: model.type/);
    const unigram = await readFile(join(fixture("unigram"), "tokenizer.json"), "utf8");
    await writeFile(path, unigram.replace(/"precompiled_charsmap":"[^"]{40}/, '"precompiled_charsmap":"'));
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer\.json: cannot be used: precompiled_charsmap is/);
    await cp(join(fixture("byte-bpe"), "tokenizer.json"), path);
    await writeFile(join(folder, "tokenizer_config.json"), "no");
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer_config\.json: not valid JSON/);
    await rm(folder, { recursive: true });
  });
});
