import { afterAll, describe, expect, it } from "vitest";
import { requireDevice } from "./device.js";
import { DeviceTensor } from "./device-tensor.js";
import { memoryFor } from "./memory-for.js";
import { add, mul } from "./ops/index.js";
import { createSession } from "./session.js";
import { floatTensor } from "./tensor.js";
import { hostMemory, type TensorMemory } from "./tensor-memory.js";
import { input } from "./value.js";

const missing = await requireDevice("webgpu").then(
  () => undefined,
  (error: Error) => error.message,
);

it("is the arrays themselves on the CPU, and where ONNX Runtime's JavaScript can leave nothing", () => {
  expect(memoryFor()).toBe(hostMemory);
  expect(memoryFor("cuda")).toBe(hostMemory);
  const array = Float32Array.of(1, 2, 3, 4);
  expect(hostMemory.of(array, [2, 2])).toEqual(floatTensor(array, [2, 2]));
  const long = new Float32Array(2 ** 18 + 3);
  expect(hostMemory.pieces(long).map(({ shape }) => shape)).toEqual([[2 ** 18], [3]]);
  expect(hostMemory.pieces(new Float32Array(0))).toEqual([]);
});

describe.each(["cpu", "webgpu"])("memory of %s", (device) => {
  const memories: TensorMemory[] = [];
  afterAll(() => Promise.all(memories.map((memory) => memory.close())));

  it("keeps what runs compute, until it is fetched or written over", async (context) => {
    if (device === "webgpu" && missing) context.skip(missing);
    const memory = memoryFor(device);
    memories.push(memory);
    const [sum, step] = [Float32Array.of(0, 0, 0, 0), Float32Array.of(1, 2, 3, 4)];
    const outputs = {
      total: add(input("sum", "float32", [2, 2]), input("step", "float32", [2, 2])),
      double: mul(input("x", "float32", ["n"]), 2),
    };
    const session = await createSession({ outputs }, { device, staying: ["total"] });
    const run = async (x: number): Promise<unknown> => {
      const held = memory.of(sum, [2, 2]);
      const inputs = { sum: held, step: memory.of(step, [2, 2]), x: floatTensor(Float32Array.of(x), [1]) };
      return (await session.run(inputs, { total: held })).double?.data[0];
    };
    expect([await run(1), await run(5)]).toEqual([2, 10]);
    const isThere = memory.of(sum, [4]) instanceof DeviceTensor;
    expect(isThere).toBe(device === "webgpu");
    if (isThere) expect([...sum]).toEqual([0, 0, 0, 0]);
    await memory.fetch();
    expect([...sum]).toEqual([2, 4, 6, 8]);
    sum.fill(100);
    memory.wrote([sum]);
    await run(1);
    // What a session has made outlives it.
    await session.close();
    await memory.fetch([sum]);
    expect([...sum]).toEqual([101, 102, 103, 104]);
  });

  it("asks for a place of what is to stay", async (context) => {
    if (device === "cpu") return;
    if (missing) context.skip(missing);
    const session = await createSession(
      { outputs: { y: mul(input("x", "float32", [1]), 2) } },
      { device, staying: ["y"] },
    );
    await expect(session.run({ x: floatTensor(Float32Array.of(1), [1]) })).rejects.toThrow(/has no place there/);
    await session.close();
  });
});
