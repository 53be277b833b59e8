import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { weightsIdentity } from "./weights-identity.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-weights-"));
  await mkdir(join(folder, "onnx"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("new weights of the same size are other weights; a graph made from them changes nothing", async () => {
  const weights = join(folder, "model.safetensors");
  await writeFile(weights, "1234");
  const first = await weightsIdentity(folder);
  await writeFile(join(folder, "onnx", "model.onnx"), "graph");
  expect(await weightsIdentity(folder)).toBe(first);
  await writeFile(weights, "5678");
  await utimes(weights, 1, 1);
  expect(await weightsIdentity(folder)).not.toBe(first);
});

test("a folder with only an ONNX graph goes by the graph", async () => {
  await writeFile(join(folder, "onnx", "model.onnx"), "graph");
  const first = await weightsIdentity(folder);
  await writeFile(join(folder, "onnx", "model.onnx"), "another graph");
  expect(await weightsIdentity(folder)).not.toBe(first);
});
