// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the syntax of run configurations
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, type Reporter, type Stage, UserError } from "@rag-ft/core";
import { type ReportSettings, report } from "@rag-ft/report";
import { copyStage } from "@rag-ft/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { toAnyStage } from "../any-stage.js";
import type { StageRegistry } from "../stage-registry.js";
import { type RunPipelineOptions, runPipeline } from "./run-pipeline.js";

const copies: StageRegistry = { copy: { summary: "copies", load: async () => toAnyStage(copyStage) } };

let folder: string;
let config: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-run-"));
  config = join(folder, "run.yaml");
  await mkdir(join(folder, "in"));
  await writeFile(join(folder, "in", "a.in"), "A");
  // The first stage writes into the folder that it reads, the third lies below it: neither may make the first run anew.
  await writeFile(
    config,
    `name: three copies
work_dir: ${folder}/work
vars: { in: "${folder}/in" }
stages:
  - stage: copy
    id: one
    with: { input_file: "\${in}", save_dir: "\${in}", save_name: one.txt }
  - stage: copy
    id: two
    with: { input_file: "\${in}/one.txt", save_dir: "\${work_dir}", save_name: two.txt }
  - stage: copy
    id: three
    with: { input_file: "\${work_dir}/two.txt", save_dir: "\${in}/deep", save_name: three.in, repeat: 2 }
`,
  );
});

/** Runs a configuration; what was written, which stages ran, and how it failed, if it did. */
async function run(options: Partial<RunPipelineOptions> = {}, registry = copies, path = config) {
  const written = { log: "", stdout: "" };
  const reporter: Reporter = {
    info: (message) => {
      written.log += `${message}\n`;
    },
    warn: (message) => {
      written.log += `warning: ${message}\n`;
    },
    start: () => ({ update() {}, stop() {} }),
  };
  const out = (text: string): void => {
    written.stdout += text;
  };
  const context = { registry, out, reporter, signal: new AbortController().signal, env: {} };
  const error = await runPipeline(path, { force: false, set: [], ...options }, context).then(
    () => undefined,
    (reason: Error) => reason,
  );
  const outcomes = Object.fromEntries(
    [...written.stdout.matchAll(/^(one|two|three) +(run|done already|left out)/gm)].map((match) => [
      match[1],
      match[2],
    ]),
  );
  return { ...written, error, outcomes };
}

const allRun = { one: "run", two: "run", three: "run" };
const allDone = { one: "done already", two: "done already", three: "done already" };

describe("runPipeline", () => {
  it("takes a file of settings in a stage, which the stage's own go before", async () => {
    await writeFile(join(folder, "copy.yaml"), "save-name: from-file.txt\nrepeat: 3\n");
    const text = (at: string): string => `name: with a file
work_dir: ${folder}/work
stages:
  - stage: copy
    id: one
${at}
`;
    const beside = join(folder, "beside.yaml");
    const own = `    with: { input_file: "${folder}/in/a.in", save_dir: "\${work_dir}", repeat: 2`;
    await writeFile(beside, text(`    settings: ${folder}/copy.yaml\n${own} }`));
    expect((await run({}, copies, beside)).error).toBeUndefined();
    expect(await readFile(join(folder, "work/from-file.txt"), "utf8")).toBe("AA");
    await writeFile(beside, text(`${own}, save_name: own.txt, settings: ${folder}/copy.yaml }`));
    expect((await run({}, copies, beside)).error).toBeUndefined();
    expect(await readFile(join(folder, "work/own.txt"), "utf8")).toBe("AA");
    await writeFile(join(folder, "copy.yaml"), "repaet: 3\n");
    expect((await run({}, copies, beside)).error?.message).toContain("copy.yaml: one.repaet: copy has no such setting");
  });

  it("a dry run plans what an earlier stage makes anew, though it was done before", async () => {
    await run();
    await writeFile(join(folder, "in", "b.in"), "B");
    const { stdout } = await run({ dryRun: true });
    expect(stdout).toMatch(/^one +asks no model/m);
    expect(stdout).toMatch(/^two +asks no model/m);
    expect(stdout).toMatch(/^three +asks no model/m);
    await run();
    expect((await run({ dryRun: true })).stdout).toMatch(/^one +done already[\s\S]*^two +done already/m);
  });

  it("asks every stage, and every folder of output, before the first stage runs", async () => {
    const picky: typeof copyStage = {
      ...copyStage,
      check: async ({ save_name }) => {
        if (save_name === "three.in") throw new UserError("three cannot be made");
      },
    };
    const refused = await run({}, { copy: { summary: "", load: async () => toAnyStage(picky) } });
    expect(refused.error?.message).toBe("three cannot be made");
    await writeFile(join(folder, "in", "deep"), "a file in the way");
    const blocked = await run();
    expect(blocked.error).toBeInstanceOf(UserError);
    expect(blocked.error?.message).toMatch(/deep is a file, where a folder is expected/);
    expect([refused.log, blocked.log]).toEqual(["", ""]);
  });

  it("runs the stages in order with headers and times, and skips them all the second time", async () => {
    const first = await run();
    expect(first).toMatchObject({ error: undefined, outcomes: allRun });
    expect(first.log).toMatch(/\[1\/3\] one \(copy\)\n[\s\S]*\[3\/3\] three \(copy\): 0:00\n/);
    expect(await readFile(join(folder, "in/deep/three.in"), "utf8")).toBe("AA");
    expect(await run()).toMatchObject({ error: undefined, outcomes: allDone });
    expect(await readFile(join(folder, "in/runs.log"), "utf8")).toBe("one.txt\n");
  });

  it("runs again what changed content, and what follows from it", async () => {
    await run();
    await writeFile(join(folder, "in", "b.in"), "B");
    expect((await run()).outcomes).toEqual(allRun);
    expect(await readFile(join(folder, "in/deep/three.in"), "utf8")).toBe("ABAB");
  });

  it("runs again a stage whose settings changed or whose output is gone, but not one whose inputs came out the same", async () => {
    await run();
    expect((await run({ set: ["three.repeat=1"] })).outcomes).toEqual({ ...allDone, three: "run" });
    expect((await run({ set: ["three.repeat=1"] })).outcomes).toEqual(allDone);
    await rm(join(folder, "work/two.txt"));
    expect((await run({ set: ["three.repeat=1"] })).outcomes).toEqual({ ...allDone, two: "run" });
  });

  it("runs a choice of stages by id, from one on, and all of them by force", async () => {
    await run();
    expect((await run({ force: true, only: ["one", "three"] })).outcomes).toEqual({
      one: "run",
      two: "left out",
      three: "run",
    });
    expect((await run({ force: true, from: "two" })).outcomes).toEqual({ one: "left out", two: "run", three: "run" });
    expect((await run({ force: true })).outcomes).toEqual(allRun);
    const { error } = await run({ only: ["tow"] });
    expect(error).toBeInstanceOf(UserError);
    expect(error?.message).toContain("Did you mean two?");
  });

  it("goes on after a failure from where it was", async () => {
    const failed = await run({ set: ["two.fail=broke"] });
    expect(failed.error?.message).toBe("broke");
    expect(failed.log).toContain("two failed");
    expect((await run()).outcomes).toEqual({ ...allRun, one: "done already" });
  });

  it("checks every stage before the first runs, naming file, line, stage and key", async () => {
    await writeFile(
      config,
      (await readFile(config, "utf8")).replace("repeat: 2", "repeet: 2").replace("id: two", "id: 2nd"),
    );
    const { error } = await run({ set: ["2nd.repeat=none"] });
    expect(error).toBeInstanceOf(UserError);
    expect(error?.message).toContain(`--set: 2nd.repeat: expected a number, found "none"`);
    expect(error?.message).toContain(`${config}:13: three.repeet: copy has no such setting; did you mean repeat?`);
    await expect(readFile(join(folder, "in/one.txt"))).rejects.toThrow("ENOENT");
  });

  it("explains an unknown stage, a missing file and a spoilt state", async () => {
    await writeFile(
      config,
      (await readFile(config, "utf8")).replace("stage: copy\n    id: two", "stage: cpoy\n    id: two"),
    );
    expect((await run()).error?.message).toContain(`${config}:8: no stage is called cpoy; did you mean copy?`);
    const { error } = await run({}, copies, join(folder, "none.yaml"));
    expect(error).toBeInstanceOf(UserError);
    expect(error?.message).toContain("none.yaml: no such file");
  });

  it("writes the HTML report after a test, in the work folder, elsewhere or not at all; one that fails is a warning", async () => {
    const asked: unknown[] = [];
    const test = { ...copyStage, name: "test-copy" };
    const page: Stage<ReportSettings> = {
      ...report,
      run: async (settings) => {
        asked.push(settings);
        if (asked.length > 3) throw new Error("no figures.");
        return { outputs: [] };
      },
    };
    const registry = {
      ...copies,
      "test-copy": { summary: "", load: async () => toAnyStage(test) },
      report: { summary: "", load: async () => toAnyStage(page) },
    };
    const plain = (await readFile(config, "utf8")).replace("stage: copy\n    id: two", "stage: test-copy\n    id: two");
    const runWith = async (html: string, options: Partial<RunPipelineOptions> = {}) => {
      await writeFile(config, `${plain}report: { tuned: two${html} }\n`);
      return run(options, registry);
    };
    const work = join(folder, "work");
    const first = await runWith("");
    expect(first.stdout).toContain(`report: ${work}/report.html`);
    await runWith(`, html: ${folder}/r.html`);
    await runWith(", html: false");
    await runWith("", { only: ["one"] });
    // What was done before it is part of the report, too; of stages that were chosen alone there is none.
    const later = await runWith("", { from: "three" });
    expect(later.outcomes).toEqual({ one: "left out", two: "left out", three: "done already" });
    expect(later.stdout).toContain(`report: ${work}/report.html`);
    expect(asked).toMatchObject([
      {
        run_dir: [work, join(folder, "in"), join(folder, "in/deep")],
        output_file: join(work, "report.html"),
        tuned: work,
        title: "three copies",
      },
      { output_file: join(folder, "r.html") },
      { run_dir: [work, join(folder, "in"), join(folder, "in/deep")], tuned: work },
    ]);
    const failed = await runWith("");
    expect(failed).toMatchObject({
      error: undefined,
      log: expect.stringMatching(/no HTML report: no figures\. .*rag-ft report --run_dir/),
    });
  });

  it("refuses a state that is none", async () => {
    await mkdir(join(folder, "work"));
    await writeFile(join(folder, "work/run-state.json"), "{}");
    const { error } = await run();
    expect(error).toBeInstanceOf(DataError);
    expect(error?.message).toContain("run-state.json: not the state of a run");
  });
});
