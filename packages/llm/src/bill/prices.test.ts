import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { costOf, noPrice, readPrices } from "./prices.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prices-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("the shipped file prices models, their dated snapshots, and models in this process", async () => {
  const prices = await readPrices();
  expect(prices.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  const price = prices.of("gpt-4.1-mini");
  expect(price).toBeDefined();
  expect(prices.of("gpt-4.1-mini-2025-04-14")).toEqual(price);
  expect(prices.of("local:somewhere")).toEqual({ input: 0, output: 0 });
  expect(prices.of("nobody-knows")).toBeUndefined();
  expect(noPrice("nobody-knows", prices)).toMatch(/prices\.yaml has no price for "nobody-knows"\. Add it/);
});

it("reads a file of one's own, and names what is wrong in it", async () => {
  const path = join(folder, "mine.yaml");
  await writeFile(path, "date: 2026-01-02\nbatch: 0.5\nmodels:\n  m: { input: 2, output: 8 }\n");
  const prices = await readPrices(path);
  const price = prices.of("m");
  expect(price && costOf(price, { prompt_tokens: 1_000_000, completion_tokens: 500_000 })).toBe(6);
  await writeFile(path, "date: 2026-01-02\nbatch: 0.5\nmodels:\n  m: { input: -2 }\n");
  await expect(readPrices(path)).rejects.toThrow(/mine\.yaml: not a file of prices/);
  await writeFile(path, "models: [\n");
  await expect(readPrices(path)).rejects.toThrow(/mine\.yaml:\d+: not valid YAML/);
});
