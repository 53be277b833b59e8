import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "./app.js";
import { copyRegistry } from "./testing/copy-registry.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder: string;
let config: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-run-command-"));
  config = join(folder, "run.yaml");
  await writeFile(join(folder, "in.txt"), "A");
  const stage = (id: string): string =>
    `  - { stage: copy, id: ${id}, with: { input_file: "${folder}/in.txt", save_dir: "${folder}/work/${id}" } }\n`;
  await writeFile(
    config,
    `name: three copies\nwork_dir: ${folder}/work\nstages:\n${["one", "two", "three"].map(stage).join("")}`,
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(...argv: string[]) {
  const io = createMemoryIo();
  const code = await main(["run", config, ...argv], io, copyRegistry);
  const outcomes = [...io.stdout.matchAll(/^(?:one|two|three) +(run|done already|left out)/gm)].map(
    (match) => match[1],
  );
  return { code, outcomes, stdout: io.stdout, stderr: io.stderr };
}

it("rag-ft run takes --only, --from, --force, --set and --dry_run", async () => {
  expect((await run("--dry-run")).stdout).toMatch(/^Dry run: [\s\S]*^three +asks no model/m);
  expect(await run("--only", "one, three")).toMatchObject({ code: 0, outcomes: ["run", "left out", "run"] });
  expect((await run()).outcomes).toEqual(["done already", "run", "done already"]);
  expect((await run("--force", "--from", "two")).outcomes).toEqual(["left out", "run", "run"]);
  expect((await run("--set", "one.repeat=2", "--set", "two.repeat=2")).outcomes).toEqual([
    "run",
    "run",
    "done already",
  ]);
});

it("ends with the code of what went wrong: a mistake, spoilt data, a bug", async () => {
  expect(await run("--only", "tow")).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean two?") });
  expect(await run("--set", "one.fail=broke")).toMatchObject({ code: 70, stderr: expect.stringContaining("broke") });
  await writeFile(join(folder, "work/run-state.json"), "{}");
  expect(await run()).toMatchObject({ code: 3, stderr: expect.stringContaining("not the state of a run") });
});
