import { InternalError } from "@rag-ft/core";
import {
  add,
  CPU,
  createSession,
  floatTensor,
  hostMemory,
  input,
  type RunTensor,
  type Session,
  type SessionSettings,
  scatterRowsAdd,
  sizesOf,
  type Tensor,
  type TensorMemory,
  type Value,
} from "@rag-ft/onnx";
import {
  addRows,
  backward,
  createGradientSums,
  type GradientSums,
  type RowGradient,
  type Rule,
  splitRowGradients,
} from "@rag-ft/train";
import { elementCount, type WeightTensor } from "../weights/weight-tensor.js";
import type { Parameters } from "./parameters.js";

/** Gradients as graph values, by the name of what they are of. */
export type NamedGradients = readonly (readonly [name: string, gradient: Value])[];

/** The gradients of all parameters that are not frozen; `rules` as in `backward`. */
export function parameterGradients(
  seeds: readonly (readonly [Value, Value])[],
  parameters: Parameters,
  rules?: Readonly<Record<string, Rule>>,
): NamedGradients {
  const entries = parameters.trainable();
  const gradients = backward(
    seeds,
    entries.map(([, value]) => value),
    rules,
  );
  return entries.map(([name], i) => [name, gradients[i] as Value]);
}

const sumName = (name: string): string => `sum of gradients of ${name}`;
const wholeName = (name: string): string => `gradient of ${name}`;
const rowsName = (name: string, i: number): string => `gradient of rows ${i} of ${name}`;
const indicesName = (name: string, i: number): string => `rows ${i} of ${name}`;

/** Gradients that a graph adds to sums. */
export interface GradientGraph {
  /** What a session is to compute. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly sums: GradientSums;
  /** Which of the outputs a session is to leave on the device. */
  readonly staying: readonly string[];
  /**
   * Runs such a session, or one whose outputs are equal to these, which adds the run's gradients to the sums.
   *
   * @param dims What the names of dimensions stand for.
   * @param into Memory for further outputs. Where all outputs have memory, none is copied.
   */
  run(
    session: Pick<Session, "run">,
    inputs: Readonly<Record<string, RunTensor>>,
    dims: Readonly<Record<string, number>>,
    into?: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
}

/**
 * A graph reads the sum so far and writes the new one in its place. Of a table whose rows are looked up, only those rows are computed, and added
 * afterwards; where sums stand on a device, they are added in the graph.
 *
 * @param trained What the gradients are of, for the shapes of the sums.
 * @param memory Where the sums stand between runs.
 */
export function gradientGraph(
  named: NamedGradients,
  trained: ReadonlyMap<string, WeightTensor>,
  memory: TensorMemory = hostMemory,
): GradientGraph {
  const split = named.map(([name, gradient]) => ({ name, ...splitRowGradients(gradient) }));
  const apart = memory.device === CPU;
  const rows = apart ? split.flatMap(({ name, rows }) => rows.map((row, i) => ({ name, i, ...row }))) : [];
  const whole = apart ? split.filter(({ whole }) => whole) : split;
  const sums = createGradientSums(trained);
  const sumOf = (name: string): Float32Array => {
    const sum = sums.get(name);
    if (!sum) throw new InternalError(`no sum for the gradient of ${name}`);
    return sum;
  };
  const tensors = whole.map(({ name }) => [name, memory.of(sumOf(name), trained.get(name)?.shape ?? [])] as const);
  const before = Object.fromEntries(tensors.map(([name, tensor]) => [sumName(name), tensor]));
  const after = Object.fromEntries(tensors.map(([name, tensor]) => [wholeName(name), tensor]));
  const added = (name: string, gradient: Value | undefined, inGraph: readonly RowGradient[]): Value => {
    const sum = input(sumName(name), "float32", before[sumName(name)]?.shape ?? []);
    const first = gradient ? add(gradient, sum) : sum;
    return inGraph.reduce((total, { indices, updates }) => scatterRowsAdd(total, indices, updates), first);
  };
  const rowTensors = (dims: Readonly<Record<string, number>>): Record<string, Tensor> => {
    const tensors: Record<string, Tensor> = {};
    for (const { name, i, updates } of rows) {
      const sizes = sizesOf(updates.shape, dims);
      if (!sizes) continue;
      const count = sizes[0] as number;
      tensors[indicesName(name, i)] = { dtype: "int64", shape: [count], data: new BigInt64Array(count) };
      tensors[rowsName(name, i)] = floatTensor(new Float32Array(elementCount(sizes)), sizes);
    }
    return tensors;
  };
  return {
    outputs: {
      ...Object.fromEntries(
        whole.map(({ name, whole, rows }) => [wholeName(name), added(name, whole, apart ? [] : rows)]),
      ),
      ...Object.fromEntries(
        rows.flatMap(({ name, i, indices, updates }) => [
          [indicesName(name, i), indices],
          [rowsName(name, i), updates],
        ]),
      ),
    },
    sums,
    staying: apart ? [] : Object.keys(after),
    async run(session, inputs, dims, into = {}) {
      const results = await session.run({ ...inputs, ...before }, { ...into, ...after, ...rowTensors(dims) });
      for (const { name, i } of rows) {
        const { data, shape } = results[rowsName(name, i)] as Tensor;
        const indices = results[indicesName(name, i)]?.data as BigInt64Array;
        addRows(sumOf(name), indices, data as Float32Array, shape.at(-1) as number);
      }
      return results;
    },
  };
}

/** A compiled graph that adds gradients to sums. */
export interface GradientSession {
  readonly gradients: GradientSums;
  /** Runs the graph, adds its gradients to the sums and returns its other outputs. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** Compiles a graph with gradients, for models whose sizes are not known before a run. */
export async function createGradientSession(
  outputs: Readonly<Record<string, Value>>,
  named: NamedGradients,
  trained: ReadonlyMap<string, WeightTensor>,
  settings: SessionSettings = {},
): Promise<GradientSession> {
  const graph = gradientGraph(named, trained);
  const session = await createSession({ outputs: { ...outputs, ...graph.outputs } }, settings);
  return {
    gradients: graph.sums,
    async run(inputs) {
      const results = await graph.run(session, inputs, {});
      return Object.fromEntries(Object.keys(outputs).map((name) => [name, results[name] as Tensor]));
    },
    close: () => session.close(),
  };
}
