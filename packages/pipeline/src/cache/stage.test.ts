import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentReporter } from "@rag-ft/core";
import { expect, test } from "vitest";
import { cache } from "./stage.js";

test("lists the cache, and cleans it when told to", async () => {
  const root = await mkdtemp(join(tmpdir(), "rag-ft-cache-stage-"));
  const graph = join(root, "onnx", "one");
  await mkdir(join(graph, "onnx"), { recursive: true });
  await writeFile(join(graph, "onnx", "model.onnx"), new Uint8Array(20e6));
  const context = { env: { RAG_FT_CACHE: root }, reporter: silentReporter, signal: new AbortController().signal };
  const run = async (given: object): Promise<string | undefined> =>
    (await cache.run(cache.settings.parse(given), context)).summary;
  expect(await run({})).toMatch(new RegExp(`${graph} +0\\.02 [\\s\\S]*1 graphs, 0\\.02 GB$`));
  expect(await run({ action: "clean", keep_gb: "1" })).toMatch(/^0 graphs removed[\s\S]*1 graphs, 0\.02 GB$/);
  expect(await run({ action: "clean" })).toMatch(/^1 graphs removed, 0\.02 GB\n.*: 0 graphs, 0\.00 GB$/);
  await rm(root, { recursive: true });
});
