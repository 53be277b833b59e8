import { expect, it } from "vitest";
import { CPU } from "./device.js";
import { nodePlacement, parsePlacement } from "./node-placement.js";
import { add, mul } from "./ops/index.js";
import { serialiseModel } from "./serialise.js";
import { input } from "./value.js";

it("asks ONNX Runtime where nodes run", async () => {
  const [x, y] = [input("x", "float32", ["n"]), input("y", "float32", ["n"])];
  const models = [{ sum: add(x, y) }, { sum: add(mul(x, y), y) }].map((outputs) => serialiseModel({ outputs }));
  const provider = "CPUExecutionProvider";
  expect(await nodePlacement(models, CPU)).toEqual([
    [{ operator: "", provider }],
    new Array(2).fill({ operator: "", provider }),
  ]);
  await expect(nodePlacement([new Uint8Array([1, 2])], CPU)).rejects.toThrow("did not open the models");
});

it("reads names where several providers share a graph", () => {
  const line = (text: string): string =>
    `2026-01-01 [V:onnxruntime:, session_state.cc:1 VerifyEachNodeIsAssignedToAnEp] ${text}`;
  const log = [
    line("Node placements"),
    line(" Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1"),
    line("  Shape (Shape_1)"),
    line(" Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 2"),
    line("  Gemm (Gemm_0)"),
    line("  MemcpyFromHost (Memcpy)"),
  ].join("\n");
  expect(parsePlacement(log).map(({ operator, provider }) => `${operator} ${provider}`)).toEqual([
    "Shape CPUExecutionProvider",
    "Gemm WebGpuExecutionProvider",
    "MemcpyFromHost WebGpuExecutionProvider",
  ]);
});
