import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { behindNames } from "./model-records.js";

test("a name's commit in the cache, and the server of what is asked over an API, are known; folders are inputs themselves", async () => {
  const cache = await mkdtemp(join(tmpdir(), "rag-ft-behind-"));
  const model = join(cache, "models--org--small");
  const commit = "a".repeat(40);
  await mkdir(join(model, "snapshots", commit), { recursive: true });
  await mkdir(join(model, "refs"), { recursive: true });
  await writeFile(join(model, "refs", "main"), commit);
  for (const name of ["tokenizer.json", "tokenizer_config.json", "config.json"])
    await writeFile(join(model, "snapshots", commit, name), "{}");
  const env = { RAG_FT_CACHE: cache, HF_HUB_CACHE: cache };
  const values = { model_path: "org/small", output_dir: "org/small", prompt_model: "gpt-4.1", tokenizer: cache };
  expect(await behindNames(values, env)).toEqual([`model_path: ${commit}`]);
  expect(await behindNames(values, { ...env, OPENAI_BASE_URL: "http://127.0.0.1:1/v1" })).toEqual([
    `model_path: ${commit}`,
    "prompt_model: http://127.0.0.1:1/v1",
  ]);
  await rm(cache, { recursive: true });
});
