import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { loadNative, type MadeTensor, type Native, type NativeTensor } from "@rag-ft/bf16";
import { InternalError, type Reporter, UserError } from "@rag-ft/core";
// Loads ONNX Runtime, whose library the native part looks for.
import "./runtime.js";
import { CPU } from "./device.js";
import { arraysOf } from "./device-tensor.js";
import { add } from "./ops/index.js";
import { rewriteGraph } from "./rewrite.js";
import type { Precision, Session } from "./session-types.js";
import type { Tensor } from "./tensor.js";
import { apply, type DType, ELEMENT_TYPE, type TensorData, type Value } from "./value.js";

/** Names one of the kernels, for tests (`emulated`: plain C++), or `none`. */
const KERNEL = "RAG_FT_BF16_KERNEL";

function wantedKernel(): string | undefined {
  return process.env[KERNEL] || undefined;
}

function native(): Native {
  try {
    return loadNative();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`precision: bf16 cannot be used here: ${reason} Or give precision fp32.`, { cause });
  }
}

/**
 * The kernel by which this processor multiplies in bf16; undefined where it has no such instructions (or its kernel failed on a product that is tried first).
 *
 * @throws UserError when the native part is missing.
 */
export function bf16Kernel(): string | undefined {
  const wanted = wantedKernel();
  const { capabilities } = native();
  return wanted === "none" ? undefined : (capabilities(wanted).kernel ?? undefined);
}

/**
 * The precision that is wanted, where it can be had: bf16 on a processor without the instructions becomes fp32, and the reporter says so.
 *
 * @throws UserError when bf16 is wanted of another device than the CPU, or the native part is missing.
 */
export function precisionHere(precision: Precision, device: string, reporter: Pick<Reporter, "warn">): Precision {
  if (precision === "fp32") return precision;
  if (device !== CPU)
    throw new UserError(
      `precision: bf16 products run on the CPU alone, and device is ${device}. Give device cpu, or precision fp32.`,
    );
  if (bf16Kernel() !== undefined) return precision;
  reporter.warn(
    "precision bf16: this processor has neither AVX512_BF16 nor AMX, so matrices are multiplied in fp32, as without it.",
  );
  return "fp32";
}

/**
 * The graph with its matrix products in bf16: factors rounded to 8 significant bits, summed in single precision, as PyTorch's autocast multiplies. All else, and what
 * goes in and out of each product, stays in single precision.
 */
export function bf16Outputs(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  return rewriteGraph(outputs, (node, inputs) => {
    const isProduct = node.op === "FusedMatMul" || node.op === "Gemm";
    const [output] = node.outputs as [Value];
    if (!isProduct || output.dtype !== "float32") return undefined;
    const [a, b, bias] = inputs as [Value, Value, Value?];
    const { transA = 0, transB = 0, alpha = { float: 1 } } = node.attributes;
    const type = { dtype: output.dtype, shape: output.shape };
    const product = apply("MatMulBf16", [a, b], type, { transA, transB, alpha }, "rag_ft");
    return [bias ? add(product, bias) : product];
  });
}

const ARRAYS: Partial<Record<number, new (buffer: ArrayBuffer) => TensorData>> = {
  [ELEMENT_TYPE.float32]: Float32Array,
  [ELEMENT_TYPE.int64]: BigInt64Array,
  [ELEMENT_TYPE.int32]: Int32Array,
  [ELEMENT_TYPE.int8]: Int8Array,
  [ELEMENT_TYPE.uint8]: Uint8Array,
  [ELEMENT_TYPE.bool]: Uint8Array,
  [ELEMENT_TYPE.uint16]: Uint16Array,
  [ELEMENT_TYPE.float16]: Uint16Array,
  [ELEMENT_TYPE.bfloat16]: Uint16Array,
};
const DTYPES = new Map(Object.entries(ELEMENT_TYPE).map(([dtype, type]) => [type, dtype as DType]));

const toNative = ({ dtype, data, shape }: Tensor): NativeTensor => ({ type: ELEMENT_TYPE[dtype], dims: shape, data });

function fromNative({ type, dims, buffer }: MadeTensor): Tensor {
  const ArrayOf = ARRAYS[type];
  const dtype = DTYPES.get(type);
  if (!ArrayOf || !dtype) throw new InternalError(`an output of ONNX's type ${type}`);
  return { dtype, shape: dims, data: new ArrayOf(buffer) };
}

/** Cores of the machine, where Linux says which of its processors share one; else processors. */
function physicalCores(): number {
  try {
    const folder = "/sys/devices/system/cpu";
    const processors = readdirSync(folder).filter((name) => /^cpu\d+$/.test(name));
    const cores = new Set(processors.map((name) => readFileSync(`${folder}/${name}/topology/core_cpus_list`, "utf8")));
    return Math.max(1, Math.min(cores.size, availableParallelism()));
  } catch {
    return availableParallelism();
  }
}

/** Compiles a serialised model whose products are in bf16. Outputs that are given memory are written there, without a copy. */
export function openBf16Session(
  model: Uint8Array,
  { threads, spinning }: { threads: number; spinning: boolean },
): Session {
  const { createSession, run, close } = native();
  const kernel = wantedKernel();
  // A number that ONNX Runtime chooses itself comes with threads that are bound to all cores but the first, where it takes its caller to be. Ours is a thread of Node's pool.
  const cores = threads > 0 ? threads : physicalCores();
  const options = { threads: cores, spinning, ...(kernel ? { kernel } : {}) };
  const { handle, inputNames, outputNames } = createSession(model, options);
  return {
    inputNames,
    async run(inputs, into = {}) {
      const [arrays, written] = [arraysOf(inputs), arraysOf(into)];
      const given = inputNames.map((name) => {
        const tensor = arrays[name];
        if (!tensor) throw new InternalError(`the graph's input ${name} was not given`);
        return toNative(tensor);
      });
      const places = outputNames.map((name) => {
        const place = written[name];
        return place === undefined ? null : toNative(place);
      });
      const made = await run(handle, given, places);
      return Object.fromEntries(
        outputNames.map((name, i) => {
          const tensor = made[i];
          return [name, tensor ? fromNative(tensor) : (written[name] as Tensor)];
        }),
      );
    },
    close: async () => close(handle),
  };
}
