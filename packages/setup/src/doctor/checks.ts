import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { betweenServers, engineFailure, redactSecrets, type StageContext } from "@rag-ft/core";
import type { CudaLibraries } from "@rag-ft/onnx";

/** One thing that was looked at. */
export interface Finding {
  what: string;
  /** `lacks`: rag-ft does not run; `note`: a part of it does not, or is slow. */
  state: "good" | "note" | "lacks";
  found: string;
  /** What to do about it. */
  advice?: string;
}

const GB = 2 ** 30;
/** A laptop's. */
const SMALL_MEMORY = 6 * GB;
/** A small model's data, checkpoints and exports. */
const SMALL_DISK = 5 * GB;
const HUB_MS = 4000;

const gigabytes = (bytes: number): string => `${(bytes / GB).toFixed(1)} GB`;

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    what: "Node",
    state: good ? "good" : "lacks",
    found: `${process.version}, ${process.platform} ${process.arch}`,
    ...(good ? {} : { advice: "rag-ft needs Node 20.19 or later" }),
  };
}

function memory(): Finding {
  const total = totalmem();
  const small = total < SMALL_MEMORY;
  return {
    what: "memory",
    state: small ? "note" : "good",
    found: `${gigabytes(total)}, ${gigabytes(freemem())} free`,
    ...(small ? { advice: "train a generator with LoRA (--use_lora), or on another machine" } : {}),
  };
}

async function engine(): Promise<{ finding: Finding; rate?: number }> {
  try {
    // Loaded only here: a machine on which it does not load is told so, with all the rest.
    const { matrixRate } = await import("./matrix-rate.js");
    const rate = await matrixRate();
    const found = `ONNX Runtime computes: ${(rate / 1e9).toFixed(0)} GFLOP/s on ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"})`;
    return { finding: { what: "engine", state: "good", found }, rate };
  } catch (error) {
    const found = engineFailure(error) ?? `ONNX Runtime does not compute: ${(error as Error).message}`;
    return { finding: { what: "engine", state: "lacks", found } };
  }
}

/** What `--device cuda` lacks, in one line; undefined where ONNX Runtime has no CUDA for Node. */
async function cuda(env: StageContext["env"]): Promise<Finding | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const onnx = await import("@rag-ft/onnx").catch(() => undefined);
  return onnx && cudaFinding(await onnx.findCudaLibraries(env), onnx.RUNTIME_VERSION);
}

/** @param version Of onnxruntime-node. */
export function cudaFinding({ folder, missing, hasDriver }: CudaLibraries, version: string): Finding {
  const what = "CUDA";
  if (missing.length === 0)
    return {
      what,
      state: "good",
      found: "all libraries for --device cuda are found; a run with it tells whether they load",
    };
  if (!hasDriver) return { what, state: "good", found: "no NVIDIA driver (libcuda.so.1): nothing to set up" };
  const froms = [...new Set(missing.map(({ from }) => from))];
  const own = froms.includes("onnxruntime-gpu") ? `those of onnxruntime-gpu ${version} into ${folder}` : "";
  const rest = froms.some((from) => from !== "onnxruntime-gpu") ? "the others into a folder of LD_LIBRARY_PATH" : "";
  return {
    what,
    state: "note",
    found: `--device cuda lacks ${missing.map(({ file, from }) => `${file} (${from})`).join(", ")}`,
    advice: `pip's wheels of these names have them; put ${[own, rest].filter((one) => one !== "").join(", ")}`,
  };
}

async function disk(what: string, folder: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const small = free < SMALL_DISK;
    return {
      what,
      state: small ? "note" : "good",
      found: `${gigabytes(free)} free at ${folder}`,
      ...(small ? { advice: "free some, or work elsewhere: a small model with its data takes about 2 GB" } : {}),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { what, state: "good", found: `${folder} is made when it is needed` };
    return {
      what,
      state: "note",
      found: `${folder}: ${(error as Error).message}`,
      advice: "name another folder (RAG_FT_CACHE)",
    };
  }
}

/** `undefined` where what would say it does not load: the engine's line says that. */
async function cache(env: StageContext["env"]): Promise<Finding | undefined> {
  const models = await import("@rag-ft/models").catch(() => undefined);
  return models && (await disk("cache", models.graphCacheFolder(env)));
}

async function largeSearch(): Promise<Finding | undefined> {
  const what = "search graph";
  const retrieval = await import("@rag-ft/retrieval").catch(() => undefined);
  const missing = await retrieval?.VECTOR_STORES.hnsw.missing();
  if (retrieval === undefined || missing === undefined)
    return retrieval && { what, state: "good", found: "hnswlib-node is built" };
  return {
    what,
    state: "note",
    found: `${missing}; search is exact, which is enough up to ${retrieval.APPROXIMATE_ABOVE.toLocaleString("en")} passages`,
    advice:
      "for more, with a C++ compiler and Python on the machine: npm rebuild hnswlib-node, or pnpm approve-builds (installers may block its install script)",
  };
}

/** Whether `--precision bf16` would multiply in bf16; what was compiled for it is no part of every installation. */
async function halfPrecision(): Promise<Finding | undefined> {
  const onnx = await import("@rag-ft/onnx").catch(() => undefined);
  if (onnx === undefined) return undefined;
  const what = "bf16";
  try {
    const kernel = onnx.bf16Kernel();
    return kernel === undefined
      ? { what, state: "good", found: "this processor has no AVX512_BF16 or AMX: --precision bf16 is fp32 here" }
      : { what, state: "good", found: `--precision bf16 multiplies by ${kernel}` };
  } catch (error) {
    const [found = ""] = (error as Error).message.split("\n");
    return { what, state: "good", found };
  }
}

/** Stores beyond memory; what they need is installed by who wants it. */
async function vectorStores(): Promise<Finding | undefined> {
  const retrieval = await import("@rag-ft/retrieval").catch(() => undefined);
  if (retrieval === undefined) return undefined;
  const found = await Promise.all(
    Object.entries(retrieval.KEPT_STORES).map(async ([name, store]) => {
      const missing = await store.missing();
      return missing === undefined ? `${name} can be used` : `${name}: ${missing}`;
    }),
  );
  return { what: "vector stores", state: "good", found: found.join("; ") };
}

async function hub(env: StageContext["env"]): Promise<Finding> {
  const url = env.HF_ENDPOINT || "https://huggingface.co";
  const shown = redactSecrets(url);
  const what = "hub";
  if (env.HF_HUB_OFFLINE)
    return { what, state: "note", found: "HF_HUB_OFFLINE is set: models come from folders and the cache" };
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(HUB_MS) });
    return { what, state: "good", found: `${shown} answers (${response.status})` };
  } catch {
    return {
      what,
      state: "note",
      found: `${shown} is not reached`,
      advice: "name models by folder, or set HF_ENDPOINT to a mirror",
    };
  }
}

function asking(env: StageContext["env"]): Finding {
  const what = "asking model";
  const servers = betweenServers(env.OPENAI_BASE_URL);
  if (servers.length > 0)
    return {
      what,
      state: "good",
      found: `OPENAI_BASE_URL is ${servers.length > 1 ? `${servers.length} servers: ` : ""}${redactSecrets(servers.join(", "))}${env.OPENAI_API_KEY ? ", with a key" : ", without a key"}`,
    };
  if (env.OPENAI_API_KEY) return { what, state: "good", found: "OPENAI_API_KEY is set" };
  return {
    what,
    state: "note",
    found: "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set",
    advice:
      "set one for questions and answers by a model, or ask a local one (--prompt_model local:<folder or hub id>)",
  };
}

/** Looks at all that rag-ft needs; `rate` is what the machine computes, operations a second, where it does. */
export async function examine(env: StageContext["env"]): Promise<{ findings: Finding[]; rate?: number }> {
  const { finding, rate } = await engine();
  const findings = [
    node(),
    finding,
    await halfPrecision(),
    memory(),
    await cuda(env),
    await disk("disk", process.cwd()),
    await cache(env),
    await largeSearch(),
    await vectorStores(),
    await hub(env),
    asking(env),
  ].filter((one) => one !== undefined);
  return { findings, ...(rate === undefined ? {} : { rate }) };
}
