import {
  add,
  CPU,
  constant,
  createSession,
  expandLike,
  input,
  mul,
  type RunTensor,
  reduceSum,
  type Session,
  type TensorMemory,
} from "@rag-ft/onnx";
import { clearGradients, type GradientSums, gradientNorm } from "./gradients.js";

/** What a step of the optimizer does with the sums of gradients, where they stand. */
export interface SumArithmetic {
  /** L2 norm over all of them together. */
  norm(sums: GradientSums): Promise<number>;
  /** Sets them back to zero. */
  clear(sums: GradientSums): Promise<void>;
  close(): Promise<void>;
}

/** In typed arrays, in double precision. */
const onHost: SumArithmetic = {
  norm: async (sums) => gradientNorm(sums),
  clear: async (sums) => clearGradients(sums),
  close: async () => {},
};

/** Rows are summed side by side. */
const WIDTH = 256;

/** By runs on the device: one number comes back. */
class OnDevice implements SumArithmetic {
  private readonly sessions: { norm?: Promise<Session>; clear?: Promise<Session> } = {};
  private readonly total = new Float32Array(1);

  constructor(private readonly memory: TensorMemory) {}

  async norm(sums: GradientSums): Promise<number> {
    const { memory, total } = this;
    this.sessions.norm ??= this.open({ squares: squaresGraph() }, ["squares"]);
    const session = await this.sessions.norm;
    memory.wrote([total.fill(0)]);
    const squares = memory.of(total, []);
    for (const sum of sums.values()) await session.run({ rows: this.rowsOf(sum), before: squares }, { squares });
    await memory.fetch([total]);
    return Math.sqrt(total[0] as number);
  }

  async clear(sums: GradientSums): Promise<void> {
    const old = input("old", "float32", ["elements"]);
    this.sessions.clear ??= this.open({ cleared: expandLike(constant([0]), old) }, ["cleared"]);
    const session = await this.sessions.clear;
    for (const sum of sums.values()) {
      for (const piece of this.memory.pieces(sum)) await session.run({ old: piece }, { cleared: piece });
    }
  }

  async close(): Promise<void> {
    for (const session of Object.values(this.sessions)) await (await session).close();
  }

  private rowsOf(sum: Float32Array): RunTensor {
    const width = sum.length % WIDTH === 0 ? WIDTH : sum.length;
    return this.memory.of(sum, [sum.length / width, width]);
  }

  private open(outputs: Parameters<typeof createSession>[0]["outputs"], staying: readonly string[]): Promise<Session> {
    return createSession({ outputs }, { device: this.memory.device, staying });
  }
}

/** What was summed so far, and the sum of squares of [rows, width]. */
function squaresGraph(): ReturnType<typeof add> {
  const rows = input("rows", "float32", ["rows", "width"]);
  const sums = reduceSum(mul(rows, rows), [1], { keepDims: true });
  return add(input("before", "float32", []), reduceSum(sums, [0, 1]));
}

export function sumArithmetic(memory: TensorMemory): SumArithmetic {
  return memory.device === CPU ? onHost : new OnDevice(memory);
}
