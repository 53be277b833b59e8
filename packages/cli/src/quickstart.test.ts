import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { main } from "./app.js";
import { modulesOf, quickstart } from "./quickstart.js";
import { createMemoryIo } from "./testing/memory-io.js";

it("names the configuration, the models and the packages that are there", () => {
  const { config, set } = quickstart("out");
  expect(existsSync(config)).toBe(true);
  const values = new Map(set.map((one) => one.split("=") as [string, string]));
  expect(values.get("work_dir")).toBe("out");
  for (const model of ["vars.encoder", "vars.decoder"])
    expect(existsSync(join(values.get(model) ?? "", "config.json"))).toBe(true);
  expect(values.get("vars.modules")).toMatch(/node_modules\/\.pnpm\/\*\/node_modules$/);
});

it("reads the packages beside it, as npm, yarn and pnpm lay them out", () => {
  const here = process.cwd();
  expect(modulesOf(join(here, "node_modules/rag-ft"))).toBe("node_modules");
  const store = join(here, "node_modules/.pnpm/rag-ft@file+rag-ft.tgz/node_modules/rag-ft");
  expect(modulesOf(store)).toBe("node_modules/.pnpm/*/node_modules");
});

it("is a command", async () => {
  const io = createMemoryIo();
  expect(await main(["quickstart", "--work_dir", "out", "--nonsense"], io)).toBe(2);
  expect(io.stderr).toContain("--nonsense");
  const help = createMemoryIo();
  expect(await main(["quickstart", "--help"], help)).toBe(0);
  expect(help.stdout).toContain("--work-dir");
});
