import { constant, input, loweredOutputs, memoryFor, serialiseModel, type Value } from "@rag-ft/onnx";
import { adamWGraph, defaultAdamW } from "@rag-ft/train";
import { answerLoss } from "../decoder/answer-loss.js";
import { sentenceVectors } from "../encoder/load-encoder.js";
import { generationGraph } from "../generate/generation-graph.js";
import { gradientGraph, parameterGradients } from "../graph/gradient-session.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { tinyDecoder, tinyEncoder } from "./tiny-models.js";

/** A graph's outputs by name. */
export type Graph = Readonly<Record<string, Value>>;

/** Graphs of a tiny encoder as they are before they are lowered for a device: a training run's, and embedding's. */
export async function encoderGraphs(name: string, device: string): Promise<{ training: Graph; embedding: Graph }> {
  const { graph, weights } = await tinyEncoder(name, "mean");
  const parameters = new Parameters(graphFormFor(device));
  const vectors = sentenceVectors(graph, parameters);
  const seeds = [[vectors, input("vector_gradients", "float32", ["batch", graph.dimensions])]] as const;
  const training = gradientGraph(parameterGradients(seeds, parameters), weights, memoryFor(device)).outputs;
  return { training, embedding: { vectors } };
}

/** Likewise of a tiny decoder: a training run's, and generation's. */
export async function decoderGraphs(name: string, device: string): Promise<{ training: Graph; generation: Graph }> {
  const { graph, weights } = await tinyDecoder(name);
  const parameters = new Parameters(graphFormFor(device));
  const loss = answerLoss(graph, parameters);
  const named = parameterGradients([[loss, constant(1)]], parameters);
  const gradients = gradientGraph(named, weights, memoryFor(device));
  const generation = generationGraph(graph, new Parameters(graphFormFor(device)));
  return { training: { loss, ...gradients.outputs }, generation };
}

/** The optimizer's update. */
export const optimizerGraph = (): Graph => adamWGraph(defaultAdamW);

/** A graph as it is compiled for a device. */
export const serialisedFor = (graph: Graph, device: string): Uint8Array =>
  serialiseModel({ outputs: loweredOutputs(graph, device) });
