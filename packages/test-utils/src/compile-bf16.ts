import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../bf16/", import.meta.url));
const changed = (file: string): number => statSync(file).mtimeMs;

/** Compiles @rag-ft/bf16 as the documentation says, unless it is newer than its sources. Returns why it cannot be had, or undefined. */
export function compileBf16(): string | undefined {
  const compiled = join(folder, "build/bf16.node");
  const sources = readdirSync(join(folder, "native")).map((name) => join(folder, "native", name));
  if (existsSync(compiled) && sources.every((source) => changed(source) < changed(compiled))) return undefined;
  const compiler = process.env.CXX ?? "c++";
  if (spawnSync(compiler, ["--version"]).error) return `no C++ compiler (${compiler}) to compile @rag-ft/bf16 with`;
  const { status, stderr } = spawnSync(process.execPath, ["compile.mjs"], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`packages/bf16/compile.mjs: ${stderr}`);
  return undefined;
}
