import { availableParallelism, cpus } from "node:os";
import { InternalError } from "@rag-ft/core";
import type * as ort from "onnxruntime-node";
import { bf16Outputs, openBf16Session } from "./bf16.js";
import { busyElsewhere, cpuTimes } from "./busy-elsewhere.js";
import { copyInto } from "./copy-into.js";
import { CPU, KEEPING_DEVICES, requireDevice } from "./device.js";
import { arraysOf, type DevicePlace, DeviceTensor } from "./device-tensor.js";
import { loweredOutputs } from "./lowered.js";
import { inputsRead } from "./order.js";
import { runtime } from "./runtime.js";
import { fitsModel, MAX_MODEL_BYTES, type ModelSource, serialiseModel } from "./serialise.js";
import type { Session, SessionSettings } from "./session-types.js";
import type { Tensor } from "./tensor.js";
import type { DType, TensorData } from "./value.js";

/**
 * onnxruntime-node 1.30 copies every output to a fresh array after a run, also those that were written to memory of ours: half a gigabyte of
 * gradients takes a second to copy (page faults, mostly) and stays until it is collected. It cannot hand over a sequence of tensors, though:
 * when that is the first output asked for, it ends with an error after the run and before any copy. A version that can hand it over, or that
 * does not copy, ends without that error and with the same numbers.
 */
const UNRETURNED = "unreturned";
const UNRETURNED_ERROR = "Non tensor type is temporarily not supported.";

async function withoutReturn(run: Promise<unknown>): Promise<void> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof Error && error.message === UNRETURNED_ERROR)) throw error;
  }
}

/** ONNX Runtime logs errors only: its warnings speak of our unused initialisers and the like. */
const LOG_ERRORS = 3;

/**
 * ONNX Runtime counts the machine's cores, also where the process may use some of them only (taskset, a container's CPU set): its threads
 * would then wait for each other. 0 lets it count.
 */
function allowedThreads(): number {
  const allowed = availableParallelism();
  return allowed < cpus().length ? allowed : 0;
}

const operatorThreads = (threads: number): number => (threads > 0 ? threads : allowedThreads());

const start = cpuTimes();

/**
 * Threads that spin while they wait for one that another process has pushed off its core waste the time of all. Sleeping costs a fifth of the
 * rate on a quiet machine, measured once; what it wins on a busy one is not measured.
 */
function threadsSpin(threads: number): boolean {
  return threads >= 0 || busyElsewhere(start, cpuTimes(), cpus().length) < 0.5;
}

function toOrt({ dtype, data, shape }: Tensor): ort.Tensor {
  return new runtime.Tensor(dtype as "float32", data as never, shape);
}

/** The weights that a graph reads, as inputs; their arrays are shared. */
function weightTensors({ outputs, weights }: ModelSource): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  for (const { input: name, dtype, shape } of inputsRead(Object.values(outputs))) {
    const weight = weights?.get(name as string);
    if (weight) found[name as string] = { dtype, data: weight.data, shape: shape.map(Number) };
  }
  return found;
}

/** Compiles a graph. Weights above `limit` bytes (protobuf's) do not become a part of it, but inputs of each run, without a copy. */
export async function createSession(
  source: ModelSource,
  settings: SessionSettings = {},
  limit = MAX_MODEL_BYTES,
): Promise<Session> {
  if (source.weights && !fitsModel(source, limit)) {
    const { weights: _, ...graph } = source;
    const tensors = weightTensors(source);
    const session = await createSession(graph, settings);
    return { ...session, run: (inputs, into) => session.run({ ...tensors, ...inputs }, into) };
  }
  if (settings.precision === "bf16") {
    if ((settings.device ?? CPU) !== CPU) throw new InternalError(`bf16 products on ${settings.device}`);
    const { threads = 0 } = settings;
    const model = serialiseModel({ ...source, outputs: bf16Outputs(source.outputs) });
    return openBf16Session(model, { threads: operatorThreads(threads), spinning: threadsSpin(threads) });
  }
  const outputs = loweredOutputs(source.outputs, settings.device);
  const sequence = (settings.device ?? CPU) === CPU ? { sequence: UNRETURNED } : {};
  return openSession(serialiseModel({ ...source, outputs, ...sequence }), settings);
}

/**
 * Compiles a serialised model, or the file at a path.
 *
 * @throws UserError when the device cannot be used here.
 */
export async function openSession(
  model: Uint8Array | string,
  { threads = 0, device = CPU, staying = [] }: SessionSettings = {},
): Promise<Session> {
  await requireDevice(device);
  const stays = new Set(KEEPING_DEVICES.has(device) ? staying : []);
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    intraOpNumThreads: operatorThreads(threads),
    ...(threadsSpin(threads) ? {} : { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Shapes change from batch to batch, so a pattern of the last run's memory would be planned for nothing.
    enableMemPattern: false,
    logSeverityLevel: LOG_ERRORS,
    ...(stays.size > 0
      ? { preferredOutputLocation: Object.fromEntries([...stays].map((name) => [name, "gpu-buffer"] as const)) }
      : {}),
  };
  const session = await (typeof model === "string"
    ? runtime.InferenceSession.create(model, options)
    : runtime.InferenceSession.create(model, options));
  const made = new Map<DevicePlace, ort.Tensor>();
  const outputNames = session.outputNames.filter((name) => name !== UNRETURNED);
  return {
    inputNames: session.inputNames,
    async run(inputs, into = {}) {
      const feeds: Record<string, ort.Tensor> = {};
      for (const name of session.inputNames) {
        const tensor = inputs[name];
        if (!tensor) throw new InternalError(`the graph's input ${name} was not given`);
        feeds[name] = tensor instanceof DeviceTensor ? await tensor.read() : toOrt(tensor);
      }
      const given = arraysOf(into);
      if (outputNames.length < session.outputNames.length && outputNames.every((name) => given[name] !== undefined)) {
        const fetches = outputNames.map((name) => [name, toOrt(given[name] as Tensor)]);
        await withoutReturn(session.run(feeds, { [UNRETURNED]: null, ...Object.fromEntries(fetches) }));
        return Object.fromEntries(outputNames.map((name) => [name, given[name] as Tensor]));
      }
      // Only the CPU writes to our memory; what another device computed is copied there when it is done.
      const written = device === CPU ? given : {};
      const fetches = Object.fromEntries(
        outputNames.map((name) => [name, written[name] === undefined ? null : toOrt(written[name])]),
      );
      const results = await session.run(feeds, fetches);
      const outputs: Record<string, Tensor> = {};
      for (const name of outputNames) {
        const result = results[name] as ort.Tensor;
        if (stays.has(name)) {
          const place = into[name];
          if (!(place instanceof DeviceTensor))
            throw new InternalError(`the output ${name}, which stays on ${device}, has no place there`);
          place.place.replace(result);
          made.set(place.place, result);
          continue;
        }
        const output = { dtype: result.type as DType, shape: result.dims, data: result.data as TensorData };
        outputs[name] = device === CPU ? output : copyInto(given[name], output);
      }
      return outputs;
    },
    async close() {
      // A tensor's memory goes with the session that made it.
      for (const [place, tensor] of made) {
        if (!place.holds(tensor)) continue;
        await place.fetch();
        place.forget();
      }
      made.clear();
      await session.release();
    },
  };
}
