import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashText } from "@rag-ft/core";
import { toAnyStage } from "@rag-ft/pipeline";
import { copyStage } from "@rag-ft/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { main } from "./app.js";
import { ownVersion } from "./own-version.js";
import { copyRegistry } from "./testing/copy-registry.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder: string;
let input: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-cli-"));
  input = join(folder, "a.txt");
  await writeFile(input, "hello");
});

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = createMemoryIo();
  const code = await main(argv, io, copyRegistry);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

describe("rag-ft", () => {
  it("shows help and version without loading a stage", async () => {
    for (const argv of [[], ["--help"], ["-h"]]) {
      const { code, stdout, stderr } = await run(...argv);
      expect(code).toBe(0);
      expect(stdout).toContain("never loaded");
      expect(stdout).toContain("run the stages of a YAML file");
      expect(stderr).toBe("");
    }
    expect(await run("--version")).toEqual({ code: 0, stdout: `${ownVersion()}\n`, stderr: "" });
  });

  it("lists a stage's flags with descriptions and defaults", async () => {
    for (const argv of [
      ["copy", "--help"],
      ["help", "copy"],
    ]) {
      const { code, stdout } = await run(...argv);
      expect(code).toBe(0);
      expect(stdout).toContain("rag-ft copy [flags]");
      expect(stdout.replace(/\s+/g, " ")).toContain("file or folder to read (also --source_file; required)");
      expect(stdout.replace(/\s+/g, " ")).toContain('what to do (one of all, init; default: "all")');
    }
  });

  it("runs a stage, prints its summary and leaves a run record", async () => {
    const out = join(folder, "out");
    const { code, stdout, stderr } = await run("copy", "-mode", "all", "--source-file", input, "--save_dir", out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`copied to ${join(out, "copy.txt")}\n`);
    const record = JSON.parse(await readFile(join(out, "manifest.copy.json"), "utf8"));
    expect(record).toMatchObject({
      command: "copy",
      settings: { mode: "all", input_file: input, repeat: 1 },
      inputs: { [input]: hashText("hello") },
      outputs: [join(out, "copy.txt")],
      // The package that writes records has the version of this one.
      versions: { "rag-ft": ownVersion(), node: process.version },
    });
  });

  it("leaves the run record to a stage that writes its own", async () => {
    const own = { ...copyStage, run: async () => ({ outputs: [join(folder, "out", "manifest.json")] }) };
    const io = createMemoryIo();
    const registry = { copy: { summary: "", load: async () => toAnyStage(own) } };
    expect(await main(["copy", "--input_file", input, "--save_dir", join(folder, "out")], io, registry)).toBe(0);
    await expect(readFile(join(folder, "out", "manifest.copy.json"))).rejects.toThrow("ENOENT");
  });

  it("names every wrong setting at once, by the name it was given under, with exit code 2", async () => {
    const { code, stderr } = await run(
      "copy",
      "--source_file",
      "",
      "--repeat",
      "zero",
      "--mode",
      "some",
      "--do_train=maybe",
    );
    expect(code).toBe(2);
    expect(stderr).toContain("--repeat: expected a number, found");
    expect(stderr).toContain('--mode: expected one of all, init, found "some"');
    expect(stderr).toContain('--do_train: expected true or false, found "maybe"');
    expect(stderr).toContain("--save_dir: is required and was not given");
    expect(stderr).toContain("--input_file");
    expect(stderr).not.toContain("    at ");
  });

  it("reads --settings, lets flags override it, and blames the right one", async () => {
    const settings = join(folder, "settings.yaml");
    await writeFile(settings, `input-file: ${input}\nrepeat: 3\nsave_dir: ${join(folder, "out")}\n`);
    expect((await run("copy", "--settings", settings, "--repeat", "2")).code).toBe(0);
    expect(await readFile(join(folder, "out", "copy.txt"), "utf8")).toBe("hellohello");
    await writeFile(settings, "repeat: [\n");
    expect((await run("copy", "--settings", settings)).stderr).toMatch(/settings\.yaml:\d+:\d+: not valid YAML/);
    await writeFile(settings, "repeet: 3\n");
    const { stderr } = await run("copy", "--settings", settings, "--source_file", input, "--save_dir", folder);
    expect(stderr).toContain(`${settings}: repeet: copy has no such setting; did you mean repeat?`);
  });

  it("refuses unknown commands and flags with exit code 2", async () => {
    expect(await run("kopy")).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command 'kopy'") });
    expect(await run("copy", "--savedir", "x")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Did you mean --save_dir"),
    });
    expect(await run("run")).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument") });
  });

  it("reports a bug with code 70 and no secret", async () => {
    const secret = `hf_${"x9".repeat(10)}`;
    const { code, stderr } = await run(
      "copy",
      "--input_file",
      input,
      "--save_dir",
      folder,
      "--fail",
      `because ${secret}`,
    );
    expect(code).toBe(70);
    expect(stderr).toContain("This is a bug in rag-ft");
    expect(stderr).not.toContain(secret);
  });

  it("asks the stage to stop at the first interrupt and ends at the second", async () => {
    const io = createMemoryIo();
    const registry = {
      copy: {
        summary: "",
        load: async () => {
          io.interrupt();
          return toAnyStage(copyStage);
        },
      },
    };
    const code = await main(["copy", "--input_file", input, "--save_dir", folder], io, registry);
    expect(code).toBe(130);
    expect(io.stderr).toContain("stopping at the next safe point; press again to stop at once");
    expect(io.exits).toEqual([]);

    const twice = createMemoryIo();
    const impatient = {
      copy: {
        summary: "",
        load: async () => {
          twice.interrupt();
          twice.interrupt();
          return toAnyStage(copyStage);
        },
      },
    };
    await main(["copy", "--input_file", input, "--save_dir", folder], twice, impatient);
    expect(twice.exits).toEqual([130]);
  });
});
