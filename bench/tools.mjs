// What the benchmarks share: flags, the Python peer, a folder for what they hand over.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const tiny = (name) => join(root, "data/models", name);

export const { values: flags } = parseArgs({
  options: {
    encoder: { type: "string", default: tiny("tiny-encoder") },
    decoder: { type: "string", default: tiny("tiny-decoder") },
    texts: { type: "string" },
  },
});

export const processor = cpus()[0]?.model ?? "unknown";

/** Runs a script of bench/python and returns the JSON of its last line. */
export function python(script, ...args) {
  const local = join(root, ".venv/bin/python");
  const interpreter = process.env.PYTHON ?? (existsSync(local) ? local : undefined);
  if (!interpreter) {
    console.error("No Python peers: run bench/peers.sh first, or set PYTHON.");
    process.exit(2);
  }
  const file = join(root, "bench/python", script);
  const run = spawnSync(interpreter, [file, ...args], { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (run.status !== 0) {
    console.error(run.stderr);
    process.exit(1);
  }
  return JSON.parse(run.stdout.trim().split("\n").at(-1));
}

/** Calls `work` with a temporary folder that is removed afterwards. */
export async function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "rag-ft-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const quiet = {
  reporter: { info() {}, warn() {}, start: () => ({ update() {}, stop() {} }) },
  signal: new AbortController().signal,
  env: process.env,
};

/** Text to measure on, when no file of passages is given. */
export const SAMPLE = [
  "The retry option sets how often a failed request is sent again before an error is thrown.",
  "To install the package, run npm install in the folder of your project. It needs Node 20 or later.",
  "`parse(text)` returns an object with the options found, or throws when a required option is missing.",
  "Passages are cut at headings and paragraphs, so that each can be read by itself.",
  "A proxy can be given as a URL. Without one, the environment variable HTTPS_PROXY is read.",
  "Streams are closed when the signal is aborted; what was read until then is kept.",
];
