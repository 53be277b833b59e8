import { nodePlacement, type PlacedNode, requireDevice, serialiseModel } from "@rag-ft/onnx";
import { expect, it } from "vitest";
import { decoderGraphs, encoderGraphs, optimizerGraph, serialisedFor } from "./testing/device-graphs.js";

// Where ONNX Runtime runs the nodes of compiled graphs, fused and added ones too. Without an adapter, webgpu-operators.test.ts checks what is asked of it.
const DEVICE = "webgpu";
const missing = await requireDevice(DEVICE).then(
  () => undefined,
  (error: Error) => error.message,
);

/** What the CPU may do: shapes, and places in a text as far as they are vectors. */
const SHAPE_ARITHMETIC = new Set(
  "Shape Gather Slice Concat Reshape Unsqueeze Range Cast Add Sub Mul Div Max ReduceProd".split(" "),
);
/** Copies that a run may need: the text's places, sizes and the like. */
const MOST_COPIES = 8;

function counts(nodes: readonly PlacedNode[]): Record<string, Record<string, number>> {
  const table: Record<string, Record<string, number>> = {};
  for (const { operator, provider } of nodes) {
    const row = table[provider] ?? {};
    row[operator] = (row[operator] ?? 0) + 1;
    table[provider] = row;
  }
  return table;
}

function describeCounts(name: string, nodes: readonly PlacedNode[]): string {
  const rows = Object.entries(counts(nodes)).map(([provider, operators]) => {
    const sum = Object.values(operators).reduce((a, b) => a + b, 0);
    const each = Object.entries(operators).sort(([, a], [, b]) => b - a);
    return `  ${provider} ${sum}: ${each.map(([operator, count]) => `${operator || "(all)"} ${count}`).join(", ")}`;
  });
  return [`${name}, ${nodes.length} nodes`, ...rows].join("\n");
}

it("of training, embedding and generation, the CPU has shapes only", async (context) => {
  if (missing) context.skip(missing);
  const encoder = await encoderGraphs("tiny-bert", DEVICE);
  const decoder = await decoderGraphs("tiny-llama", DEVICE);
  const graphs = {
    "encoder, training": encoder.training,
    "encoder, embedding": encoder.embedding,
    "decoder, training": decoder.training,
    "decoder, generation": decoder.generation,
    AdamW: optimizerGraph(),
  };
  const placed = await nodePlacement(
    Object.values(graphs).map((graph) => serialisedFor(graph, DEVICE)),
    DEVICE,
  );
  const [raw] = await nodePlacement([serialiseModel({ outputs: encoder.training })], DEVICE);
  console.log(describeCounts("encoder, training, not lowered", raw ?? []));
  expect(counts(raw ?? []).CPUExecutionProvider?.FusedMatMul).toBeGreaterThan(20);
  for (const [i, name] of Object.keys(graphs).entries()) {
    const nodes = placed[i] as PlacedNode[];
    console.log(describeCounts(name, nodes));
    const onCpu = nodes.filter(({ provider }) => provider === "CPUExecutionProvider");
    expect(
      onCpu.map(({ operator }) => operator).filter((operator) => !SHAPE_ARITHMETIC.has(operator)),
      name,
    ).toEqual([]);
    const elsewhere = nodes.filter(({ provider }) => provider === "WebGpuExecutionProvider");
    expect(elsewhere.length, name).toBeGreaterThan(1.5 * onCpu.length);
    const copies = elsewhere.filter(({ operator }) => operator.startsWith("Memcpy"));
    expect(copies.length, name).toBeLessThanOrEqual(MOST_COPIES);
    expect(
      copies.map(({ operator }) => operator),
      name,
    ).not.toContain("MemcpyToHost");
  }
});
