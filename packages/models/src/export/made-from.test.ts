import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { weightsDigest } from "../weights/weights-digest.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { onnxState, recordWeights } from "./made-from.js";

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "made-from-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (scale: number): Promise<void> =>
  writeSafetensors(
    at("model.safetensors"),
    new Map([
      ["frozen", { shape: [2], data: Float32Array.of(1, 2) }],
      ["trained", { shape: [100, 10], data: Float32Array.from({ length: 1000 }, (_, i) => i * scale) }],
    ]),
  );
const graph = async (): Promise<void> => {
  await mkdir(at("onnx"));
  await writeFile(at("onnx/model.onnx"), "graph");
};

it("the digest is of the content: other values, names and files change it, a copy does not", async () => {
  expect(await weightsDigest(folder)).toBeUndefined();
  await write(1);
  const first = await weightsDigest(folder);
  await utimes(at("model.safetensors"), 1, 1);
  expect(await weightsDigest(folder)).toBe(first);
  await write(1.001);
  expect(await weightsDigest(folder)).not.toBe(first);
  await write(1);
  expect(await weightsDigest(folder)).toBe(first);
});

it("a graph made of other weights is stale, whatever the times say; one of unknown making is judged by them", async () => {
  expect(await onnxState(folder)).toBe("absent");
  await graph();
  expect(await onnxState(folder)).toBe("current");
  await write(1);
  await utimes(at("onnx/model.onnx"), 100, 100);
  await utimes(at("model.safetensors"), 200, 200);
  expect(await onnxState(folder)).toBe("older");
  await recordWeights(folder);
  expect(await onnxState(folder)).toBe("current");
  await write(2);
  await utimes(at("model.safetensors"), 50, 50);
  expect(await onnxState(folder)).toBe("stale");
  await writeFile(at("rag_ft_onnx.json"), "{}");
  await expect(onnxState(folder)).rejects.toThrow(/rag_ft_onnx\.json: not a record of an export/);
  await rm(at("rag_ft_onnx.json"));
  expect(await onnxState(folder)).toBe("current");
});
