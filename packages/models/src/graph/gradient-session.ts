import { InternalError } from "@rag-ft/core";
import { createSession, floatTensor, type SessionSettings, type Tensor, type Value } from "@rag-ft/onnx";
import {
  addRows,
  addTo,
  backward,
  createGradientSums,
  type GradientSums,
  type Rule,
  splitRowGradients,
} from "@rag-ft/train";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { Parameters } from "./parameters.js";

/** Gradients as graph values, by the name of what they are of. */
export type NamedGradients = readonly (readonly [name: string, gradient: Value])[];

/** The gradients of all parameters; `rules` as in `backward`. */
export function parameterGradients(
  seeds: readonly (readonly [Value, Value])[],
  parameters: Parameters,
  rules?: Readonly<Record<string, Rule>>,
): NamedGradients {
  const entries = parameters.entries();
  const gradients = backward(
    seeds,
    entries.map(([, value]) => value),
    rules,
  );
  return entries.map(([name], i) => [name, gradients[i] as Value]);
}

/** A compiled graph that adds gradients to sums. */
export interface GradientSession {
  readonly gradients: GradientSums;
  /** Runs the graph, adds its gradients to the sums and returns its other outputs. */
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

const wholeName = (name: string): string => `gradient of ${name}`;
const rowsName = (name: string, i: number): string => `gradient of rows ${i} of ${name}`;
const indicesName = (name: string, i: number): string => `rows ${i} of ${name}`;

/**
 * Compiles a graph with gradients. The first run after the sums were cleared writes them in place; further ones write to memory beside them,
 * which is then added: most steps of a decoder are one run, and need no second copy.
 *
 * @param trained What the gradients are of, for the shapes of the sums.
 */
export async function createGradientSession(
  outputs: Readonly<Record<string, Value>>,
  named: NamedGradients,
  trained: ReadonlyMap<string, WeightTensor>,
  settings: SessionSettings = {},
): Promise<GradientSession> {
  const split = named.map(([name, gradient]) => ({ name, ...splitRowGradients(gradient) }));
  const whole = split.flatMap(({ name, whole }) => (whole ? [[name, whole] as const] : []));
  const rows = split.flatMap(({ name, rows }) => rows.map((row, i) => ({ name, i, ...row })));
  const session = await createSession(
    {
      outputs: {
        ...outputs,
        ...Object.fromEntries(whole.map(([name, gradient]) => [wholeName(name), gradient])),
        ...Object.fromEntries(
          rows.flatMap(({ name, i, indices, updates }) => [
            [indicesName(name, i), indices],
            [rowsName(name, i), updates],
          ]),
        ),
      },
    },
    settings,
  );
  const gradients = createGradientSums(trained);
  const sumOf = (name: string): Float32Array => {
    const sum = gradients.get(name);
    if (!sum) throw new InternalError(`no sum for the gradient of ${name}`);
    return sum;
  };
  const tensors = (arrays: ReadonlyMap<string, Float32Array>): Record<string, Tensor> =>
    Object.fromEntries(
      whole.map(([name]) => [
        wholeName(name),
        floatTensor(arrays.get(name) as Float32Array, trained.get(name)?.shape ?? []),
      ]),
    );
  const sums = tensors(gradients);
  let beside: Map<string, Float32Array> | undefined;
  return {
    gradients,
    async run(inputs) {
      const first = gradients.untouched;
      if (!first) beside ??= new Map(whole.map(([name]) => [name, new Float32Array(sumOf(name).length)]));
      gradients.untouched = false;
      const results = await session.run(inputs, first || !beside ? sums : tensors(beside));
      if (!first) for (const [name, made] of beside ?? []) addTo(sumOf(name), made);
      for (const { name, i } of rows) {
        const { data, shape } = results[rowsName(name, i)] as Tensor;
        const indices = results[indicesName(name, i)]?.data as BigInt64Array;
        addRows(sumOf(name), indices, data as Float32Array, shape.at(-1) as number);
      }
      return Object.fromEntries(Object.keys(outputs).map((name) => [name, results[name] as Tensor]));
    },
    close: () => session.close(),
  };
}
