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

/** The runtime that computes; found from the package that depends on it, as pnpm hides it from all others. */
function onnxRuntimeVersion(): string {
  try {
    const retriever = createRequire(import.meta.url).resolve("@rag-ft/train-retriever");
    const engine = createRequire(retriever).resolve("@rag-ft/onnx");
    return versionIn(createRequire(engine).resolve("onnxruntime-node/package.json"));
  } catch {
    // Under vitest the packages are not built, so that `require` finds no file; a run from `dist` always does.
    return "unknown";
  }
}

/** Versions that a run record keeps. */
export function versions(): Record<string, string> {
  return { "rag-ft": ownVersion(), node: process.version, "onnxruntime-node": onnxRuntimeVersion() };
}
