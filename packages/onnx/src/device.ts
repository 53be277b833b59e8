import { UserError } from "@rag-ft/core";
import { add } from "./ops/index.js";
import { runtime } from "./runtime.js";
import { serialiseModel } from "./serialise.js";
import { input } from "./value.js";

/** Where ONNX Runtime always runs. */
export const CPU = "cpu";

/** Devices in whose memory onnxruntime-node can leave tensors. On others, CUDA too, each run copies what it reads and writes. */
export const KEEPING_DEVICES: ReadonlySet<string> = new Set(["webgpu"]);

/** Of onnxruntime-node, such as 1.30.0. */
export const RUNTIME_VERSION: string = runtime.env.versions.node ?? runtime.env.versions.common;

const tried = new Map<string, Promise<void>>();

/**
 * Makes sure that graphs can run on a device: an execution provider of ONNX Runtime, such as `cpu`, `webgpu` or `cuda`. Providers come
 * with libraries and drivers that a machine may lack, so a graph of one operator is compiled for it, once a process.
 *
 * @throws UserError naming the reason and the providers of this build: nothing is run on the CPU in its stead.
 */
export function requireDevice(device: string): Promise<void> {
  if (device === CPU) return Promise.resolve();
  const result = tried.get(device) ?? tryDevice(device);
  tried.set(device, result);
  return result;
}

async function tryDevice(device: string): Promise<void> {
  const known = runtime.listSupportedBackends();
  const list = known.map(({ name, bundled }) => (bundled ? name : `${name} (needs libraries of its own)`)).join(", ");
  const rest = `This build of onnxruntime-node has: ${list}.`;
  if (!known.some(({ name }) => name === device)) {
    throw new UserError(`device: "${device}" is no execution provider of this machine's ONNX Runtime. ${rest}`);
  }
  try {
    const model = serialiseModel({ outputs: { y: add(input("x", "float32", [1]), 1) } });
    const session = await runtime.InferenceSession.create(model, { executionProviders: [device] });
    await session.release();
  } catch (cause) {
    throw new UserError(
      `device: ${device} cannot be used on this machine: ${reasonOf(cause)}. ${rest} Install its driver and libraries, or give device cpu: ` +
        "nothing was run there instead.",
      { cause },
    );
  }
}

/** What an error of ONNX Runtime says, without the place in its sources. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message
    .trim()
    .replace(/^.* was false\. /s, "")
    .replace(/\.?\s*$/, "");
}
