import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isHubId } from "./resolve-model-name.js";

let folder = "";
const before = process.cwd();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-names-"));
  await mkdir(join(folder, "data", "model"), { recursive: true });
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true, force: true });
});

it("org/name is a hub id, unless it is a folder here", async () => {
  expect(await isHubId("org/model-1.5")).toBe(true);
  for (const name of ["data/model", "./model", "a/b/c", "gpt-4", "local:org/model"])
    expect(await isHubId(name), name).toBe(false);
});
