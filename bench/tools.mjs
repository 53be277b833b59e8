// What the benchmarks share: flags, models and data, the Python peer, a folder for what they hand over.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export const root = fileURLToPath(new URL("..", import.meta.url));

const FLAGS = {
  clustered: { type: "boolean" },
  encoder: { type: "string" },
  decoder: { type: "string" },
  reranker: { type: "string" },
  data: { type: "string" },
  texts: { type: "string" },
  url: { type: "string" },
  rounds: { type: "string", default: "3" },
  batch: { type: "string" },
  seed: { type: "string", default: "42" },
  seeds: { type: "string", default: "3" },
  threads: { type: "string" },
  only: { type: "string" },
  keep: { type: "string" },
  request: { type: "string" },
  pages: { type: "string" },
  sets: { type: "string" },
  sizes: { type: "string" },
  samples: { type: "string" },
  number: { type: "string" },
  folds: { type: "string" },
  "eval-passages": { type: "string" },
  precision: { type: "string" },
  every: { type: "string" },
  "peer-learning-rate": { type: "string" },
  "peer-temperature": { type: "string" },
  "peer-epochs": { type: "string" },
  reference: { type: "string" },
  quick: { type: "boolean", default: false },
  quality: { type: "boolean", default: false },
  "ours-only": { type: "boolean", default: false },
};

/** Ends with a line that says what to do: a flag is wrong, or something is missing that the project cannot bring. */
export function missing(message) {
  console.error(message);
  process.exit(2);
}

function readFlags() {
  try {
    return parseArgs({ options: FLAGS }).values;
  } catch (error) {
    return missing(
      `${error.message}. Flags: ${Object.keys(FLAGS)
        .map((name) => `--${name}`)
        .join(" ")}`,
    );
  }
}

export const flags = readFlags();

export const processor = cpus()[0]?.model ?? "unknown";
export const cores = availableParallelism();

/** A flag's whole number of at least `least`. */
export function wholeNumber(name, least = 1) {
  if (flags[name] === undefined) return undefined;
  const value = Number(flags[name]);
  if (!Number.isInteger(value) || value < least)
    missing(`--${name} is ${flags[name]}: it takes a whole number of at least ${least}.`);
  return value;
}

const REAL = { encoder: "e5-small-v2", decoder: "SmolLM2-135M-Instruct" };
const TINY = { encoder: "tiny-encoder", decoder: "tiny-decoder" };

export const tinyModel = (kind) => join(root, "data/models", TINY[kind]);

/** Folder of the real model: the flag's, or the one in .cache/models; undefined when there is none. */
export function realModel(kind) {
  const folder = resolve(flags[kind] ?? join(root, ".cache/models", REAL[kind]));
  if (existsSync(join(folder, "config.json"))) return folder;
  if (flags[kind] !== undefined) missing(`--${kind} ${flags[kind]}: no config.json there. Give a model's folder.`);
  return undefined;
}

export function requireModel(kind) {
  return (
    realModel(kind) ??
    missing(`No ${REAL[kind]}: put its folder in .cache/models/${REAL[kind]}, or give --${kind} FOLDER.`)
  );
}

/** Folder of LocalRQA's Faire data: --data, RAG_FT_BENCH_DATA, or shared/data/faire beside the repository. */
export function realData() {
  const given = flags.data ?? process.env.RAG_FT_BENCH_DATA;
  const folder = resolve(given ?? join(root, "../shared/data/faire"));
  if (existsSync(join(folder, "train_w_qa.jsonl"))) return folder;
  if (given !== undefined) missing(`${given}: no train_w_qa.jsonl there. Give the folder of LocalRQA's Faire data.`);
  return undefined;
}

export function requireData() {
  return (
    realData() ??
    missing(
      "No data: give --data FOLDER (or RAG_FT_BENCH_DATA) with train_w_q.jsonl, train_w_qa.jsonl, eval_w_q.jsonl and faire.pkl of LocalRQA's Faire example.",
    )
  );
}

/** The interpreter that has the peers. */
export function pythonPath() {
  const local = join(root, ".venv/bin/python");
  return (
    process.env.PYTHON ??
    (existsSync(local) ? local : missing("No Python peers: run bench/peers.sh first, or set PYTHON."))
  );
}

/** Runs a program and returns the JSON of its last line of output. */
export function runJson(program, args) {
  const run = spawnSync(program, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (run.error) throw run.error;
  if (run.status !== 0) {
    console.error(run.stderr || run.stdout);
    console.error(`${[program, ...args].join(" ")} ended with ${run.status ?? run.signal}`);
    process.exit(1);
  }
  return JSON.parse(run.stdout.trim().split("\n").at(-1));
}

/** Runs a script of bench/python and returns the JSON of its last line. */
export function python(script, ...args) {
  return runJson(pythonPath(), [join(root, "bench/python", script), ...args]);
}

/** Runs a stage of the built command line. `stdio` as spawn's: what is piped is shown only when the stage fails. */
export function runStage(name, settings, stdio = "pipe") {
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const main = join(root, "packages/cli/dist/main.js");
  const { status, stderr } = spawnSync(process.execPath, [main, name, ...args], { encoding: "utf8", stdio });
  if (status === 0) return;
  if (stderr) console.error(stderr);
  process.exit(1);
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
