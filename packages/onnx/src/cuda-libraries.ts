import { execFile } from "node:child_process";
import { access, open } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** ONNX Runtime's own, which must lie beside onnxruntime-node's library. The wheel onnxruntime-gpu of the same version has them. */
const PROVIDER = "libonnxruntime_providers_cuda.so";
const OWN = ["libonnxruntime_providers_shared.so", PROVIDER];

/** What that wheel's provider links to (1.30.0: readelf -d), and the wheels that have it; the last is a part of NVIDIA's driver. */
const LINKED: Readonly<Record<string, string>> = {
  "libcudart.so.13": "nvidia-cuda-runtime",
  "libcublas.so.13": "nvidia-cublas",
  "libcublasLt.so.13": "nvidia-cublas",
  "libcurand.so.10": "nvidia-curand",
  "libcuda.so.1": "NVIDIA's driver",
};

/** A provider names what it links to near its beginning. */
const HEAD_BYTES = 2 ** 20;
const LINKED_NAME = /lib(?:cuda|cudart|cublas|cublasLt|curand|cudnn|cufft|nvrtc)\.so\.\d+/g;

/** Where the dynamic loader looks without being told. */
const USUAL_FOLDERS = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"];

export interface CudaLibraries {
  /** The folder of onnxruntime-node's library, where ONNX Runtime's own belong. */
  folder: string;
  /** Files that are not found, with what they are a part of. */
  missing: { file: string; from: string }[];
  /** Whether NVIDIA's driver is there. */
  hasDriver: boolean;
}

/** Of this installation: where onnxruntime-node's library for Linux on x64 is. */
function runtimeFolder(): string {
  const main = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(main), "..", "bin", "napi-v6", "linux", "x64");
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Names of libraries that the loader's cache knows; of none where it cannot be asked. */
async function cachedNames(): Promise<Set<string>> {
  for (const command of ["/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"]) {
    const printed = await promisify(execFile)(command, ["-p"], { maxBuffer: 2 ** 26 }).catch(() => undefined);
    if (printed) return new Set([...printed.stdout.matchAll(/^\s*(\S+) \(/gm)].map(([, name]) => name as string));
  }
  return new Set();
}

/** What a provider links to, if it is there and says so. */
async function linkedBy(provider: string): Promise<string[] | undefined> {
  const file = await open(provider).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const names = new Set(buffer.subarray(0, bytesRead).toString("latin1").match(LINKED_NAME) ?? []);
    return names.size > 0 ? [...names] : undefined;
  } finally {
    await file.close();
  }
}

/**
 * What `--device cuda` needs on Linux x64, and what of it is missing. That all is found does not say that it works: nothing is loaded.
 *
 * @param folder Where ONNX Runtime's own libraries belong.
 */
export async function findCudaLibraries(
  env: Readonly<Record<string, string | undefined>>,
  folder = runtimeFolder(),
): Promise<CudaLibraries> {
  const folders = [...(env.LD_LIBRARY_PATH ?? "").split(":").filter((path) => path !== ""), ...USUAL_FOLDERS];
  const cached = await cachedNames();
  const isFound = async (file: string): Promise<boolean> => {
    if (cached.has(file)) return true;
    for (const path of folders) if (await isThere(join(path, file))) return true;
    return false;
  };
  const missing: CudaLibraries["missing"] = [];
  for (const file of OWN) {
    if (!(await isThere(join(folder, file)))) missing.push({ file, from: "onnxruntime-gpu" });
  }
  const linked = (await linkedBy(join(folder, PROVIDER))) ?? Object.keys(LINKED);
  for (const file of linked) {
    if (!(await isFound(file))) missing.push({ file, from: LINKED[file] ?? "CUDA of the provider's version" });
  }
  return { folder, missing, hasDriver: !missing.some(({ file }) => file === "libcuda.so.1") };
}
