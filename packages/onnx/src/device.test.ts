import { InternalError, UserError } from "@rag-ft/core";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { copyInto } from "./copy-into.js";
import { requireDevice } from "./device.js";
import { add, matmul } from "./ops/index.js";
import { createSession } from "./session.js";
import { floatTensor, type Tensor } from "./tensor.js";
import { input } from "./value.js";

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
