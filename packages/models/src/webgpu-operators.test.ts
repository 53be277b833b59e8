import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  applyNode,
  input,
  loweredOutputs,
  type Node,
  nodePlacement,
  orderNodes,
  type PlacedNode,
  RUNTIME_VERSION,
  requireDevice,
  serialiseModel,
} from "@rag-ft/onnx";
import { beforeAll, describe, expect, it } from "vitest";
import { decoderGraphs, encoderGraphs, type Graph, optimizerGraph } from "./testing/device-graphs.js";
import { TINY_DECODERS } from "./testing/tiny-models.js";

const DEVICE = "webgpu";
const PROVIDER = "WebGpuExecutionProvider";
const missing = await requireDevice(DEVICE).then(
  () => undefined,
  (error: Error) => error.message,
);
const ENCODERS = [
  "tiny-bert",
  "tiny-xlm-roberta",
  "tiny-modernbert",
  "tiny-mpnet",
  "tiny-nomic-bert",
  "tiny-gte",
  "tiny-jina-v3",
  "tiny-distilbert",
  "tiny-embeddinggemma",
  "tiny-eurobert",
  "tiny-qwen3-embedding",
];
/**
 * What ONNX Runtime's provider has of the operators that our graphs are made of, before and after they are lowered. Made by the second test below, which asks
 * ONNX Runtime itself: on a machine with an adapter, run it with RAG_FT_WRITE_OPERATORS=1.
 */
const LIST = fileURLToPath(new URL("./fixtures/webgpu-operators.json", import.meta.url));
interface OperatorList {
  onnxruntime: string;
  provided: string[];
  lacking: string[];
}

/** An operator with what a kernel is chosen by: the types of its inputs. */
const signature = ({ op, domain, inputs }: Node): string =>
  `${domain === "" ? "" : `${domain}.`}${op}(${inputs.map(({ dtype }) => dtype).join(", ")})`;

/** Nodes that compute floats or truths: the others are a text's shape and places in it, a few whole numbers that the provider leaves to the CPU. */
const computes = ({ outputs }: Node): boolean => outputs.some(({ dtype }) => dtype !== "int64");

/** Casts of int64 vectors run on the CPU: places in a text, row numbers, and masks, all of them given or made there. */
const CAST_OF_PLACES = "Cast(int64)";

const graphs: Record<string, Graph> = {};
let list: OperatorList;
beforeAll(async () => {
  for (const name of ENCODERS) {
    const { training, embedding } = await encoderGraphs(name, DEVICE);
    graphs[`${name}, training`] = training;
    graphs[`${name}, embedding`] = embedding;
  }
  for (const name of TINY_DECODERS) {
    const { training, generation } = await decoderGraphs(name, DEVICE);
    graphs[`${name}, training`] = training;
    graphs[`${name}, generation`] = generation;
  }
  graphs.AdamW = optimizerGraph();
  if (process.env.RAG_FT_WRITE_OPERATORS) {
    const asked = `${JSON.stringify(await askProvider(operators()), undefined, 2)}\n`;
    await writeFile(LIST, asked);
  }
  list = JSON.parse(await readFile(LIST, "utf8"));
});

const nodesOf = (graph: Graph): Node[] => orderNodes(Object.values(graph), { expand: true });

/** The nodes of all graphs by signature, before and after they are lowered. */
function operators(): Map<string, Node> {
  const nodes = Object.values(graphs).flatMap((graph) => [
    ...nodesOf(graph),
    ...nodesOf(loweredOutputs(graph, DEVICE)),
  ]);
  return new Map(nodes.filter(computes).map((node) => [signature(node), node]));
}

describe(`operators of graphs for ${DEVICE}`, () => {
  it("are those that the provider has", () => {
    const provided = new Set([...list.provided, CAST_OF_PLACES]);
    expect(Object.keys(graphs)).toHaveLength(2 * (ENCODERS.length + TINY_DECODERS.length) + 1);
    for (const [name, graph] of Object.entries(graphs)) {
      const used = nodesOf(loweredOutputs(graph, DEVICE)).filter(computes).map(signature);
      expect(
        used.filter((operator) => !provided.has(operator)),
        name,
      ).toEqual([]);
      for (const operator of used.filter((each) => each === CAST_OF_PLACES)) expect(list.lacking).toContain(operator);
    }
    // What lowering is for.
    expect(list.lacking).toEqual(
      expect.arrayContaining(["com.microsoft.FusedMatMul(float32, float32)", "LogSoftmax(float32)"]),
    );
  });

  it("are in a list of this version of ONNX Runtime, which says the same where there is an adapter", async (context) => {
    expect(list.onnxruntime, "run this test with an adapter and RAG_FT_WRITE_OPERATORS=1").toBe(RUNTIME_VERSION);
    if (missing) context.skip(missing);
    expect(await askProvider(operators())).toEqual(list);
  });
});

/** Asks ONNX Runtime where it runs each of these nodes, alone in a graph. */
async function askProvider(nodes: ReadonlyMap<string, Node>): Promise<OperatorList> {
  const alone = (node: Node): Graph => {
    // Axes and the like stay what they are; other constants would let ONNX Runtime compute the node ahead.
    const inputs = node.inputs.map((value, i) =>
      value.data && value.dtype === "int64" ? value : input(`x${i}`, value.dtype, value.shape),
    );
    const made = applyNode(node.op, inputs, node.outputs, { ...node.attributes }, node.domain);
    return Object.fromEntries(made.map((value, i) => [`y${i}`, value]));
  };
  const names = [...nodes.keys()].sort();
  const models = names.map((name) => serialiseModel({ outputs: alone(nodes.get(name) as Node) }));
  const placed = await nodePlacement(models, DEVICE);
  const isProvided = (i: number): boolean =>
    (placed[i] as PlacedNode[]).some(
      ({ operator, provider }) => provider === PROVIDER && !operator.startsWith("Memcpy"),
    );
  return {
    onnxruntime: RUNTIME_VERSION,
    provided: names.filter((_, i) => isProvided(i)),
    lacking: names.filter((_, i) => !isProvided(i)),
  };
}
