import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { add, concat, gather, gemm, matmul, mul, reshape, split } from "./ops/index.js";
import { ModelProto } from "./protobuf.js";
import { serialiseModel } from "./serialise.js";
import { createSession, openSession } from "./session.js";
import { floatTensor, intTensor } from "./tensor.js";
import { constant, input } from "./value.js";
import { writeModel } from "./write-model.js";

interface Decoded {
  graph: {
    node: { opType: string }[];
    initializer: { name: string }[];
    input: { name: string }[];
    output: { name: string }[];
  };
}
const decode = (bytes: Uint8Array): Decoded => ModelProto.toObject(ModelProto.decode(bytes)) as Decoded;
const names = (items: { name: string }[]): string[] => items.map(({ name }) => name);

const x = input("x", "float32", ["n", 2]);

describe("serialiseModel", () => {
  it("writes inputs of one name once, equal small constants once, and keeps the order of declared inputs", () => {
    const again = input("x", "float32", ["n", 2]);
    const unused = input("unused", "int64", [1]);
    const y = add(mul(x, 3), mul(again, 3));
    const { graph } = decode(serialiseModel({ outputs: { y }, inputs: [unused, x] }));
    expect(names(graph.input)).toEqual(["unused", "x"]);
    expect(graph.initializer).toHaveLength(1);
    expect(names(graph.output)).toEqual(["y"]);
  });

  it("bakes weights in place of their inputs", async () => {
    const weight = input("w", "float32", [2, 1]);
    const weights = new Map([["w", { data: Float32Array.of(10, 1) }]]);
    const y = gemm(x, weight);
    expect(names(decode(serialiseModel({ outputs: { y }, weights })).graph.input)).toEqual(["x"]);
    const session = await createSession({ outputs: { y }, weights });
    const result = await session.run({ x: floatTensor(Float32Array.of(1, 2, 3, 4), [2, 2]) });
    expect([...(result.y?.data ?? [])]).toEqual([12, 34]);
    await session.close();
  });

  it("an output may be an input, a constant, or another output's value", async () => {
    const y = mul(x, 2);
    const session = await createSession({ outputs: { y, twin: y, same: x, two: constant([2, 2]) } });
    const result = await session.run({ x: floatTensor(Float32Array.of(1, 2), [1, 2]) });
    const data = Object.fromEntries(Object.entries(result).map(([name, tensor]) => [name, [...tensor.data]]));
    expect(data).toEqual({ y: [2, 4], twin: [2, 4], same: [1, 2], two: [2, 2] });
    await session.close();
  });

  it("weights above the limit go to a file beside the model, and it computes the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
    const weights = new Map([
      ["w", { data: Float32Array.from({ length: 2 * 300 }, (_, i) => i) }],
      ["v", { data: Float32Array.from({ length: 300 }, (_, i) => 1 / (i + 1)) }],
    ]);
    const y = add(gemm(x, input("w", "float32", [2, 300])), input("v", "float32", [300]));
    const run = async (path: string): Promise<number[]> => {
      const session = await openSession(path);
      const result = await session.run({ x: floatTensor(Float32Array.of(1, 0.5), [1, 2]) });
      await session.close();
      return [...(result.y?.data ?? [])].map(Number);
    };
    expect(await writeModel(join(folder, "one.onnx"), { outputs: { y }, weights })).toBe(false);
    expect(await writeModel(join(folder, "two.onnx"), { outputs: { y }, weights }, 2000)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(["one.onnx", "two.onnx", "two.onnx_data"]);
    expect((await stat(join(folder, "two.onnx"))).size).toBeLessThan(1000);
    expect((await stat(join(folder, "two.onnx_data"))).size).toBe(4096 + 1200);
    expect(await run(join(folder, "two.onnx"))).toEqual(await run(join(folder, "one.onnx")));
    const large = await createSession({ outputs: { y }, weights }, {}, 2000);
    expect(large.inputNames).toEqual(expect.arrayContaining(["w", "v"]));
    const { y: same } = await large.run({ x: floatTensor(Float32Array.of(1, 0.5), [1, 2]) });
    expect([...(same?.data ?? [])]).toEqual(await run(join(folder, "one.onnx")));
    await large.close();
    await rm(folder, { recursive: true });
  });

  it("a model above protobuf's limit without such a file is an error", () => {
    const huge = {
      data: { byteLength: 2 ** 31, buffer: new ArrayBuffer(0), byteOffset: 0 } as unknown as Float32Array,
    };
    const weights = new Map([["w", huge]]);
    const y = matmul(x, input("w", "float32", [2, 1]));
    expect(() => serialiseModel({ outputs: { y }, weights })).toThrow(/exceed the 2147483647 bytes.*external data/);
  });
});

describe("operators refuse shapes that do not fit", () => {
  it.each([
    ["matmul", () => matmul(x, x), /inner dimensions differ/],
    ["gemm", () => gemm(x, x), /cannot multiply \[n, 2\]/],
    ["add", () => add(x, constant([1, 2, 3])), /do not broadcast/],
    ["split", () => split(x, [2, 3], 1), /no 5 on axis 1/],
    ["reshape", () => reshape(x, ["a", "b"]), /two unknown dimensions/],
    ["concat", () => concat([], 0), /nothing to join/],
    ["constant", () => constant([1, 2], [3]), /does not hold 2 elements/],
  ])("%s", (_, build, message) => {
    expect(build).toThrow(message);
  });
});

it("a run without one of its inputs names it; indices outside a table are ONNX Runtime's error", async () => {
  const session = await createSession({ outputs: { y: gather(x, input("ids", "int64", [1])) } });
  const table = floatTensor(Float32Array.of(1, 2), [1, 2]);
  await expect(session.run({ x: table })).rejects.toThrow(/input ids was not given/);
  await expect(session.run({ x: table, ids: intTensor([7], [1]) })).rejects.toThrow(/indices/);
  await session.close();
});
