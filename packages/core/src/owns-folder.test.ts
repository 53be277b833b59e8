import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { ownsFolder } from "./owns-folder.js";
import { silentReporter } from "./progress.js";
import { temporaryName } from "./temporary-names.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "owns-folder-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("clears what a killed run left, and lets no second run in", async () => {
  await writeFile(join(folder, "kept.jsonl"), "");
  await writeFile(temporaryName(join(folder, "half.jsonl")), "");
  let seen: string[] = [];
  const stage = ownsFolder(
    {
      name: "s",
      summary: "s",
      settings: z.object({}),
      inputs: [],
      async run(settings, context) {
        seen = await readdir(folder);
        await expect(stage.run(settings, context)).rejects.toThrow(folder);
        return { outputs: [] };
      },
    },
    () => folder,
  );
  await stage.run({}, { reporter: silentReporter, signal: new AbortController().signal, env: {} });
  expect(seen.filter((name) => name !== ".lock")).toEqual(["kept.jsonl"]);
  expect(await readdir(folder)).toEqual(["kept.jsonl"]);
});
