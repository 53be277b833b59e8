import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** A tensor on memory of ours: ONNX's number of its type, its shape, its data. */
export interface NativeTensor {
  type: number;
  dims: readonly number[];
  data: ArrayBufferView;
}

/** A tensor that ONNX Runtime made, copied. */
export interface MadeTensor {
  type: number;
  dims: number[];
  buffer: ArrayBuffer;
}

export interface NativeSession {
  handle: unknown;
  inputNames: string[];
  outputNames: string[];
}

/** The native part: sessions of the ONNX Runtime that onnxruntime-node has loaded, which know `MatMulBf16` of the domain `rag_ft`. */
export interface Native {
  /** What a session would run on: the kernel named, or else the best one that this processor has; null where there is none. */
  capabilities(kernel?: string): { onnxruntime: string | null; kernel: string | null };
  /** @param threads Of an operator; not 0, which would bind them to cores. */
  createSession(model: Uint8Array, options: { threads: number; spinning: boolean; kernel?: string }): NativeSession;
  /** Tensors in the order of the session's names. An output that is null is made; one that is given is written to, and null is returned for it. */
  run(
    handle: unknown,
    inputs: readonly NativeTensor[],
    outputs: readonly (NativeTensor | null)[],
  ): Promise<(MadeTensor | null)[]>;
  close(handle: unknown): void;
}

const require = createRequire(import.meta.url);
const compiled = fileURLToPath(new URL("../build/bf16.node", import.meta.url));
const prebuilt = `rag-ft-bf16-${process.platform}-${process.arch}/bf16.node`;

const HOW_TO_COMPILE = "Compile it with `node compile.mjs` in the folder of @rag-ft/bf16 (it needs a C++ compiler)";

function find(): string | undefined {
  if (existsSync(compiled)) return compiled;
  try {
    return require.resolve(prebuilt);
  } catch {
    return undefined;
  }
}

/** What was compiled elsewhere may want a later C library than the one here. */
function open(file: string): Native {
  try {
    return require(file) as Native;
  } catch (error) {
    throw new Error(`${file} cannot be loaded here: ${(error as Error).message}. ${HOW_TO_COMPILE}.`);
  }
}

let loaded: Native | undefined;

/**
 * Loads the native part: what was compiled here, else what was installed for this platform. onnxruntime-node must have been loaded before.
 *
 * @throws Error that says what is missing.
 */
export function loadNative(): Native {
  if (loaded) return loaded;
  const file = find();
  if (file === undefined)
    throw new Error(`@rag-ft/bf16 has no compiled part for ${process.platform}-${process.arch}. ${HOW_TO_COMPILE}.`);
  const native = open(file);
  if (native.capabilities("emulated").onnxruntime === null)
    throw new Error(
      `${file} found no ONNX Runtime that it knows in this process: it wants the one of onnxruntime-node 1.20 or later.`,
    );
  loaded = native;
  return native;
}
