import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashText } from "@rag-ft/core";
import { beforeEach, describe, expect, it } from "vitest";
import { hashInputs, summariseInputs } from "./input-files.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-inputs-"));
  await mkdir(join(folder, "sub"));
  await writeFile(join(folder, "a.md"), "A");
  await writeFile(join(folder, "sub/README.md"), "B");
});

const paths = async (values: Record<string, unknown>): Promise<string[]> =>
  (await hashInputs(["x", "y"], values)).map(({ path }) => path.slice(folder.length + 1));

describe("hashInputs", () => {
  it("reads files, folders and globs, once each, and passes over what is no path", async () => {
    expect(await hashInputs(["x"], { x: join(folder, "a.md"), other: folder })).toEqual([
      { root: join(folder, "a.md"), path: join(folder, "a.md"), sha256: hashText("A") },
    ]);
    expect(await paths({ x: folder })).toEqual(["a.md", "sub/README.md"]);
    expect(await paths({ x: [`${folder}/**/readme.md`, join(folder, "a.md")] })).toEqual(["sub/README.md", "a.md"]);
    expect(await paths({ x: "owner/model", y: undefined })).toEqual([]);
  });

  it("leaves run records out and follows links to files, not to folders", async () => {
    await writeFile(join(folder, "manifest.copy.json"), "{}");
    await writeFile(join(folder, "run-state.json"), "{}");
    await symlink(join(folder, "a.md"), join(folder, "sub/link.md"));
    await symlink(folder, join(folder, "sub/circle"));
    expect(await paths({ x: folder })).toEqual(["a.md", "sub/README.md", "sub/link.md"]);
  });
});

describe("a model's card", () => {
  it("is no input: its user may edit it, and nothing is trained anew", async () => {
    await writeFile(join(folder, "sub/config.json"), "{}");
    expect(await paths({ x: folder })).toEqual(["a.md", "sub/config.json"]);
  });
});

describe("summariseInputs", () => {
  it("gives a folder one hash, which its files' contents and names decide", async () => {
    const of = async () => summariseInputs(await hashInputs(["x"], { x: folder }));
    const first = await of();
    expect(Object.keys(first)).toEqual([`${folder} (2 files)`]);
    expect(await of()).toEqual(first);
    await writeFile(join(folder, "a.md"), "C");
    expect(await of()).not.toEqual(first);
  });
});
