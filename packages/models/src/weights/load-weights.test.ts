import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { afterAll, describe, expect, it } from "vitest";
import { loadWeights } from "./load-weights.js";
import { writeSafetensors } from "./write-safetensors.js";

const root = mkdtempSync(join(tmpdir(), "weights-"));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = join(root, String(made++));
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const scalar = (value: number): { shape: number[]; data: Float32Array } => ({
  shape: [1],
  data: Float32Array.of(value),
});

const indexOf = (map: Record<string, string>): string => JSON.stringify({ metadata: {}, weight_map: map });

describe("loadWeights", () => {
  it("reads one file, or the parts an index names", async () => {
    const single = await folderWith({});
    await writeSafetensors(join(single, "model.safetensors"), [["x", scalar(1)]]);
    expect([...(await loadWeights(single))]).toEqual([["x", scalar(1)]]);

    const map = { x: "model-00001-of-00002.safetensors", y: "model-00002-of-00002.safetensors" };
    const sharded = await folderWith({ "model.safetensors.index.json": indexOf(map) });
    await writeSafetensors(join(sharded, map.x), [["x", scalar(1)]]);
    await writeSafetensors(join(sharded, map.y), [["y", scalar(2)]]);
    expect(new Map(await loadWeights(sharded))).toEqual(
      new Map([
        ["x", scalar(1)],
        ["y", scalar(2)],
      ]),
    );
  });

  it.each([
    [
      { "config.json": "{}", "pytorch_model.bin": "" },
      /no model\.safetensors.*holds pytorch_model\.bin.*save_pretrained/,
    ],
    [{ "config.json": "{}", "model.gguf": "" }, /holds model\.gguf, which cannot be trained/],
    [{ "model-00001-of-00002.safetensors": "" }, /but no model\.safetensors\.index\.json/],
    [{ "README.md": "", "notes.txt": "" }, /It holds README\.md, notes\.txt: is this a model folder/],
    [{}, /It is empty/],
  ])("says what a folder without weights holds: %j", async (files, message) => {
    const folder = await folderWith(files);
    await expect(loadWeights(folder)).rejects.toThrow(UserError);
    await expect(loadWeights(folder)).rejects.toThrow(message);
  });

  it("says so when the folder is missing or a file", async () => {
    await expect(loadWeights(join(root, "nowhere"))).rejects.toThrow(/nowhere: no such folder/);
    const folder = await folderWith({ "a.txt": "" });
    await expect(loadWeights(join(folder, "a.txt"))).rejects.toThrow(/this is a file/);
  });

  it("refuses an index that lies", async () => {
    const part = "model-00001-of-00001.safetensors";
    const missing = await folderWith({ "model.safetensors.index.json": indexOf({ x: part }) });
    await expect(loadWeights(missing)).rejects.toThrow(/1 of the 1 parts .* missing: model-00001/);
    await writeSafetensors(join(missing, part), [["other", scalar(1)]]);
    await expect(loadWeights(missing)).rejects.toThrow(/tensor x is not there/);
    const outside = await folderWith({ "model.safetensors.index.json": indexOf({ x: "../elsewhere.safetensors" }) });
    await expect(loadWeights(outside)).rejects.toThrow(DataError);
    await expect(loadWeights(outside)).rejects.toThrow(/expected a file of the same folder/);
    const broken = await folderWith({ "model.safetensors.index.json": "{" });
    await expect(loadWeights(broken)).rejects.toThrow(/index\.json: not valid JSON/);
    const empty = await folderWith({ "model.safetensors.index.json": "{}" });
    await expect(loadWeights(empty)).rejects.toThrow(/not an index of shards: weight_map/);
  });
});
