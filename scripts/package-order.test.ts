import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { packageProblems } from "./package-order.mjs";

const dependencies = Object.fromEntries(
  ["core", "retrieval", "page", "llm", "metrics"].map((name) => [`@rag-ft/${name}`, "workspace:*"]),
);
const manifest = {
  dependencies: { ...dependencies, zod: "4" },
  devDependencies: { "@rag-ft/test-utils": "workspace:*", "@types/mdast": "4" },
};
const problemsOf = (path: string, text: string): string[] =>
  packageProblems([{ name: path.split("/")[1], manifest, files: [{ path, text }] }]);

it("lets a package import earlier ones, what stands beside, and its own files", () => {
  const text = [
    'import { a } from "@rag-ft/core";',
    'import {\n  b,\n} from "@rag-ft/retrieval";',
    'import { c } from "@rag-ft/page";',
    'import { d } from "../other/d.js";',
    'import { z } from "zod";',
    'import "zod/mini";',
    'import { join } from "node:path";',
    'import type { Root } from "mdast";',
    "const told = 'no import from \"yaml\"';",
  ].join("\n");
  expect(problemsOf("packages/compare/src/parts/a.ts", text)).toEqual([]);
  const adapter = { dependencies: { "@rag-ft/answer": "workspace:*" }, peerDependencies: { ai: "7" } };
  const adapting = 'import { a } from "@rag-ft/answer";\nimport { b } from "ai";';
  const files = [{ path: "packages/ai-sdk/src/a.ts", text: adapting }];
  expect(packageProblems([{ name: "ai-sdk", manifest: adapter, files }])).toEqual([]);
  expect(problemsOf("packages/compare/src/a.test.ts", 'import { s } from "@rag-ft/test-utils";')).toEqual([]);
});

it.each([
  [
    "an import upwards",
    "packages/models/src/a.ts",
    '\nimport { a } from "@rag-ft/llm";',
    /a\.ts:2: imports @rag-ft\/llm: llm comes after models/,
  ],
  ["one of types", "packages/core/src/a.ts", 'import type { A } from "@rag-ft/metrics";', /metrics comes after core/],
  ["one when it is needed", "packages/llm/src/a.ts", 'await import("@rag-ft/retrieval")', /retrieval comes after llm/],
  ["one that is handed on", "packages/text/src/a.ts", 'export * from "@rag-ft/train";', /train comes after text/],
  [
    "a stage by a stage",
    "packages/test-e2e/src/a.ts",
    'import { a } from "@rag-ft/test-retriever";',
    /stages never import each other/,
  ],
  [
    "a stage by a library",
    "packages/answer/src/a.ts",
    'import { a } from "@rag-ft/test-e2e";',
    /test-e2e comes after answer/,
  ],
  [
    "a stage by an adapter",
    "packages/ai-sdk/src/a.ts",
    'import { a } from "@rag-ft/serve";',
    /adapters import libraries alone/,
  ],
  [
    "the CLI by the pipeline",
    "packages/pipeline/src/a.ts",
    'import { a } from "@rag-ft/cli";',
    /cli comes after pipeline/,
  ],
  [
    "another package's file",
    "packages/llm/src/a.ts",
    'import { a } from "../../core/src/errors.js";',
    /leaves the package/,
  ],
  [
    "test helpers outside of tests",
    "packages/llm/src/a.ts",
    'import { a } from "@rag-ft/test-utils";',
    /test-utils is for tests/,
  ],
  [
    "more than core beside the others",
    "packages/page/src/a.ts",
    'import { a } from "@rag-ft/metrics";',
    /page imports core alone/,
  ],
  [
    "what is not declared",
    "packages/compare/src/a.ts",
    '\nimport { a } from "yaml/b";',
    /a\.ts:2: .*package\.json does not declare yaml/,
  ],
  [
    "what is declared for tests alone",
    "packages/cli/src/a.ts",
    'import { it } from "vitest";',
    /does not declare vitest/,
  ],
  ["code of a package of types", "packages/cli/src/a.ts", 'import { m } from "mdast";', /does not declare mdast/],
  ["a package without a place", "packages/new/src/a.ts", "", /packages\/new: has no place/],
])("refuses %s", (_, path, text, problem) => {
  expect(problemsOf(path, text)).toEqual([expect.stringMatching(problem)]);
});

/** Biome, with this repository's settings, on files in a folder. */
async function lint(files: Readonly<Record<string, string>>): Promise<{ status: number | null; output: string }> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-lint-"));
  try {
    await cp(join(root, "biome.json"), join(folder, "biome.json"));
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await mkdir(join(folder, "src"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "src", name), text);
    const biome = join(root, "node_modules/.bin/biome");
    const { status, stdout, stderr } = spawnSync(biome, ["lint", "--vcs-enabled=false", "src"], {
      cwd: folder,
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("finds a circle of imports, also one of types alone", async () => {
  const a = 'import type { B } from "./b.js";\n\nexport interface A {\n  b: B;\n}\n';
  const b = 'import type { A } from "./a.js";\n\nexport interface B {\n  a: A;\n}\n';
  const circle = await lint({ "a.ts": a, "b.ts": b });
  expect(circle.output).toContain("noImportCycles");
  expect(circle.status).toBe(1);
  const line = await lint({ "a.ts": a, "b.ts": "export type B = number;\n" });
  expect(line).toMatchObject({ status: 0, output: expect.not.stringContaining("noImportCycles") });
});
