import { InternalError, UserError } from "@rag-ft/core";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { copyInto } from "./copy-into.js";
import { requireDevice } from "./device.js";
import { add, matmul, mul, rmsNorm } from "./ops/index.js";
import { orderNodes } from "./order.js";
import { portableOutputs } from "./portable.js";
import { createSession } from "./session.js";
import { floatTensor, type Tensor } from "./tensor.js";
import { input, type Value } from "./value.js";

const matrix = (...values: number[]): Tensor => floatTensor(Float32Array.from(values), [2, 2]);

describe("requireDevice", () => {
  it("takes the CPU, and names what this build has for a device it does not know", async () => {
    await requireDevice("cpu");
    await expect(requireDevice("gpu")).rejects.toThrow(UserError);
    await expect(requireDevice("gpu")).rejects.toThrow(/device: "gpu" is no execution provider .* has: cpu/);
    await expect(
      createSession({ outputs: { y: add(input("x", "float32", [1]), 1) } }, { device: "gpu" }),
    ).rejects.toThrow(/"gpu" is no execution provider/);
  });

  it("a known device either computes or is refused with the reason", async (context) => {
    if (!ort.listSupportedBackends().some(({ name }) => name === "webgpu")) context.skip("this build has no webgpu");
    const sum = input("sum", "float32", [2, 2]);
    const total = add(sum, matmul(input("a", "float32", [2, 2]), input("b", "float32", [2, 2])));
    const session = await createSession({ outputs: { total } }, { device: "webgpu" }).catch((error: Error) => error);
    if (session instanceof Error) {
      expect(session).toBeInstanceOf(UserError);
      expect(session.message).toMatch(
        /^device: webgpu cannot be used on this machine: .+\. This build .* has: .*webgpu/,
      );
      return;
    }
    // In place, as gradients are summed.
    const held = matrix(100, 200, 300, 400);
    const result = await session.run({ sum: held, a: matrix(1, 2, 3, 4), b: matrix(1, 0, 0, 1) }, { total: held });
    expect([...held.data]).toEqual([101, 202, 303, 404]);
    expect(result.total?.data).toBe(held.data);
    await session.close();
  });
});

describe("portableOutputs", () => {
  const x = input("x", "float32", [2, 2]);
  const normal = rmsNorm(x, input("scale", "float32", [2]), 1e-6);
  const inverse = normal.node?.outputs[1] as Value;
  const graph = { normal, scaled: mul(inverse, 2), twice: add(add(normal, inverse), x) };

  it("computes the same without the second output of SimplifiedLayerNormalization", async () => {
    const portable = portableOutputs(graph);
    const norms = orderNodes(Object.values(portable)).filter(({ op }) => op === "SimplifiedLayerNormalization");
    expect(norms.map(({ outputs }) => outputs.length)).toEqual([1]);
    const feeds = { x: matrix(1, 7, 3, 4), scale: floatTensor(Float32Array.of(1, 2), [2]) };
    const results = [];
    for (const outputs of [graph, portable]) {
      const session = await createSession({ outputs });
      results.push(await session.run(feeds));
      await session.close();
    }
    expect(results[0]?.scaled?.data[0]).toBeCloseTo(0.4, 6);
    for (const name of Object.keys(graph)) {
      const [ours, theirs] = results.map((result) => [...(result[name] as Tensor).data].map(Number));
      expect(ours).toHaveLength(4 / (name === "scaled" ? 2 : 1));
      ours?.forEach((value, i) => {
        expect(theirs?.[i]).toBeCloseTo(value, 5);
      });
    }
  });

  it("leaves a graph without it as it is", () => {
    const y = mul(x, 2);
    expect(portableOutputs({ y }).y).toBe(y);
  });
});

describe("copyInto", () => {
  it("fills the memory given, of the same shape only", () => {
    const target = matrix(0, 0, 0, 0);
    const made = matrix(1, 2, 3, 4);
    expect(copyInto(target, made).data).toBe(target.data);
    expect([...target.data]).toEqual([1, 2, 3, 4]);
    expect(copyInto(undefined, made)).toBe(made);
    expect(() => copyInto(floatTensor(new Float32Array(4), [4]), made)).toThrow(InternalError);
  });
});
