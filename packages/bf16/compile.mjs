// node compile.mjs [FILE]
// Compiles the native part with a C++ compiler (CXX, else c++): to FILE, or to build/bf16.node, where `@rag-ft/bf16` looks for it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import nodeApi from "node-api-headers";

const here = fileURLToPath(new URL(".", import.meta.url));
const sources = join(here, "native");
const { include_dir: headers } = nodeApi;
const isX64 = process.arch === "x64";

/** Files are compiled for the instructions that they use alone: what decides which of them runs must run anywhere. */
const AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16", "-mprefer-vector-width=512"];
const FILES = {
  addon: [],
  dispatch: [],
  emulated: [],
  operator: [],
  ort: [],
  product: [],
  ...(isX64 ? { avx512: AVX512, amx: [...AVX512, "-mamx-tile", "-mamx-bf16"] } : {}),
};
const COMMON = [
  "-O3",
  "-std=c++17",
  "-fPIC",
  "-fvisibility=hidden",
  "-DNAPI_VERSION=6",
  "-DNODE_GYP_MODULE_NAME=rag_ft_bf16",
  ...(isX64 ? ["-DRAG_FT_X64"] : []),
  `-I${headers}`,
];
// C++'s own library goes in, so that the file runs where another one is installed.
const LINK =
  process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-static-libstdc++", "-static-libgcc", "-ldl"];

const compiler = process.env.CXX ?? "c++";
function run(args) {
  const { status, error, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
  if (error?.code === "ENOENT")
    end(`${compiler}: no such program. Install a C++ compiler (gcc 12 or clang 15, or later), or name one in CXX.`);
  if (status !== 0) end(`${compiler} ${args.join(" ")}\n${stderr ?? error}`);
}
function end(message) {
  console.error(message);
  rmSync(work, { recursive: true, force: true });
  process.exit(1);
}

const output = resolve(process.argv[2] ?? join(here, "build/bf16.node"));
mkdirSync(dirname(output), { recursive: true });
// Beside the output, so that it can be put in place in one step.
const work = mkdtempSync(join(dirname(output), ".compile-"));
for (const [name, more] of Object.entries(FILES))
  run([...COMMON, ...more, "-c", join(sources, `${name}.cpp`), "-o", join(work, `${name}.o`)]);
run(["-shared", "-o", join(work, "bf16.node"), ...Object.keys(FILES).map((name) => join(work, `${name}.o`)), ...LINK]);
renameSync(join(work, "bf16.node"), output);
rmSync(work, { recursive: true });
console.log(output);
