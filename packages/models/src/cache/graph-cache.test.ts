import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cachedGraphs, shrinkGraphCache, touchGraph } from "./graph-cache.js";

test("graphs are listed by their last use, and those unused for longest go first", async () => {
  const root = await mkdtemp(join(tmpdir(), "rag-ft-cache-"));
  const env = { RAG_FT_CACHE: root };
  expect(await cachedGraphs(env)).toEqual([]);
  expect(await shrinkGraphCache(env, 0)).toEqual([]);
  for (const [i, name] of ["a", "b", "c"].entries()) {
    const folder = join(root, "onnx", name);
    await mkdir(join(folder, "onnx"), { recursive: true });
    await writeFile(join(folder, "onnx", "model.onnx"), new Uint8Array(100 * (i + 1)));
    await utimes(folder, 1000 + i, 1000 + i);
  }
  await touchGraph(join(root, "onnx", "a"));
  const names = async (): Promise<string[]> => (await cachedGraphs(env)).map(({ folder }) => folder.slice(-1));
  expect(await names()).toEqual(["a", "c", "b"]);
  expect((await cachedGraphs(env)).map(({ bytes }) => bytes)).toEqual([100, 300, 200]);
  expect((await shrinkGraphCache(env, 450)).map(({ bytes }) => bytes)).toEqual([200]);
  expect(await names()).toEqual(["a", "c"]);
  // What was made just now stays, however large.
  await shrinkGraphCache(env, 0, join(root, "onnx", "c"));
  expect(await names()).toEqual(["c"]);
  await shrinkGraphCache(env, 0);
  expect(await readdir(join(root, "onnx"))).toEqual([]);
  await rm(root, { recursive: true });
});
