import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "./read-safetensors.js";
import { MAX_HEADER_BYTES } from "./safetensors-header.js";
import { writeSafetensors } from "./write-safetensors.js";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FIXTURES = join(import.meta.dirname, "fixtures");

/** A file with the given header, as text or object, and so many bytes of data. */
async function fileWith(header: unknown, dataBytes: number): Promise<string> {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, "made.safetensors");
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}

const tensor = (dtype: string, shape: number[], start: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe("readSafetensors", () => {
  it("reads what Python wrote: F32, F16, BF16, a scalar, an empty tensor; passes I64 over", async () => {
    const expected: Record<string, { shape: number[]; values: number[] }> = JSON.parse(
      readFileSync(join(FIXTURES, "python.json"), "utf8"),
    );
    const tensors = await readSafetensors(join(FIXTURES, "python.safetensors"));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    expect(tensors.has("embeddings.position_ids")).toBe(false);
    for (const [name, { shape, values }] of Object.entries(expected)) {
      expect(tensors.get(name)?.shape).toEqual(shape);
      expect([...(tensors.get(name)?.data ?? [])]).toEqual(values.map(Math.fround));
    }
  });

  it.each([
    [
      "a gap",
      { a: tensor("F32", [1], 0, 4), b: tensor("F32", [1], 8, 12) },
      12,
      /tensor b: starts at 8 and leaves a gap/,
    ],
    [
      "an overlap",
      { a: tensor("F32", [2], 0, 8), b: tensor("F32", [1], 4, 8) },
      8,
      /tensor b: starts at 4 and overlaps tensor a/,
    ],
    ["offsets beyond the file", { a: tensor("F32", [4], 0, 16) }, 8, /tensor a: ends at byte 16 .* holds 8.*cut short/],
    ["data no tensor owns", { a: tensor("F32", [1], 0, 4) }, 8, /8 bytes of data, but its tensors end at 4/],
    [
      "a shape that does not fit",
      { a: tensor("F32", [3], 0, 8) },
      8,
      /tensor a: 8 bytes .* expected 12 for F32 of shape \[3\]/,
    ],
    ["offsets in the wrong order", { a: tensor("F32", [1], 4, 0) }, 4, /tensor a: -4 bytes/],
    ["an unknown dtype", { a: tensor("F12", [1], 0, 4) }, 4, /tensor a: unknown dtype F12, expected one of/],
    ["quantised weights", { a: tensor("I8", [4], 0, 4) }, 4, /tensor a: dtype I8, expected F32, F16 or BF16/],
    ["a negative size", { a: tensor("F32", [-1], 0, 4) }, 4, /tensor a: malformed header entry: shape\.0/],
    ["a header that is not JSON", '{"a": ', 4, /header is not valid JSON/],
    ["a header that is a list", "[1]", 4, /header is not a JSON object/],
  ])("refuses %s", async (_, header, bytes, message) => {
    const path = await fileWith(header, bytes);
    await expect(readSafetensors(path)).rejects.toThrow(DataError);
    await expect(readSafetensors(path)).rejects.toThrow(message);
    await expect(readSafetensors(path)).rejects.toThrow(path);
  });

  it("refuses a file that is cut short, wherever it is cut", async () => {
    const path = join(folder, "cut.safetensors");
    await writeFile(path, await readFile(join(FIXTURES, "python.safetensors")));
    for (const length of [600, 100, 8, 3, 0]) {
      await truncate(path, length);
      await expect(readSafetensors(path)).rejects.toThrow(DataError);
    }
  });

  it("does not take another file's first bytes for a huge header", async () => {
    const path = join(folder, "pointer.safetensors");
    await writeFile(path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    await expect(readSafetensors(path)).rejects.toThrow(`expected at most ${MAX_HEADER_BYTES}`);
    await expect(readSafetensors(path)).rejects.toThrow(/Git LFS pointer/);
  });

  it("says so when the file is missing or a folder", async () => {
    await expect(readSafetensors(join(folder, "none"))).rejects.toThrow(UserError);
    await mkdir(join(folder, "directory"));
    await expect(readSafetensors(join(folder, "directory"))).rejects.toThrow(/found a folder/);
  });
});

describe("writeSafetensors", () => {
  const weights = new Map([
    ["b.weight", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0.1, 1e-8, 65504) }],
    ["a.bias", { shape: [3], data: Float32Array.of(0, 1, 2) }],
    ["__proto__", { shape: [], data: Float32Array.of(7) }],
  ]);

  it("comes back the same, sorted, aligned, with Python's metadata", async () => {
    const path = join(folder, "round.safetensors");
    await writeSafetensors(path, weights, { metadata: { step: "3" } });
    expect(await readSafetensors(path)).toEqual(weights);
    const bytes = await readFile(path);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = bytes.subarray(8, 8 + length).toString();
    expect(header).toMatch(/^\{"__metadata__":\{"format":"pt","step":"3"\},"__proto__":.*"a\.bias":.*"b\.weight":/);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("writes a view of a larger buffer, and only the view", async () => {
    const path = join(folder, "view.safetensors");
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    await writeSafetensors(path, [["x", { shape: [2], data }]]);
    expect([...((await readSafetensors(path)).get("x")?.data ?? [])]).toEqual([1, 2]);
  });

  it("rounds to F16 on request", async () => {
    const path = join(folder, "half.safetensors");
    await writeSafetensors(path, weights, { dtype: "F16" });
    const back = await readSafetensors(path);
    expect([...(back.get("b.weight")?.data ?? [])]).toEqual([1, -2, 3.5, 0.0999755859375, 0, 65504]);
  });

  it("rounds to F16 as PyTorch does", async () => {
    const python = await readSafetensors(join(FIXTURES, "python.safetensors"));
    const path = join(folder, "python-half.safetensors");
    await writeSafetensors(path, [["float16", python.get("float32") ?? { shape: [0], data: new Float32Array() }]], {
      dtype: "F16",
    });
    expect((await readSafetensors(path)).get("float16")?.data).toEqual(python.get("float16")?.data);
  });

  it("leaves the earlier file whole when a value does not fit F16 or a shape is wrong", async () => {
    const path = join(folder, "kept.safetensors");
    await writeSafetensors(path, weights);
    const before = await readFile(path);
    const big = { shape: [1], data: Float32Array.of(70000) };
    await expect(writeSafetensors(path, [["big", big]], { dtype: "F16" })).rejects.toThrow(
      /tensor big: 70000 is beyond F16/,
    );
    await expect(writeSafetensors(path, [["bad", { shape: [2], data: Float32Array.of(1) }]])).rejects.toThrow(/fill/);
    expect(await readFile(path)).toEqual(before);
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
