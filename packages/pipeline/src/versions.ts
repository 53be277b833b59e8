import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

function versionIn(path: string | URL): string {
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { version?: string };
  return manifest.version ?? "unknown";
}

/** The version of rag-ft itself. */
export function ownVersion(): string {
  return versionIn(new URL("../package.json", import.meta.url));
}

/** The runtime that computes: of the npm package a neighbour; in the repository found from the package that depends on it, as pnpm hides it from all others. */
function onnxRuntimeVersion(): string {
  const from = createRequire(import.meta.url);
  const manifest = "onnxruntime-node/package.json";
  const engine = (): NodeJS.Require =>
    createRequire(createRequire(from.resolve("@rag-ft/train-retriever")).resolve("@rag-ft/onnx"));
  for (const find of [() => from.resolve(manifest), () => engine().resolve(manifest)]) {
    try {
      return versionIn(find());
    } catch {
      // Under vitest the packages are not built, so that `require` finds no file; a run from `dist` always does.
    }
  }
  return "unknown";
}

/** Versions that a run record keeps. */
export function versions(): Record<string, string> {
  return { "rag-ft": ownVersion(), node: process.version, "onnxruntime-node": onnxRuntimeVersion() };
}
