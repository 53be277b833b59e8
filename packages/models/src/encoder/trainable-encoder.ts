import {
  CPU,
  createSession,
  cutGraph,
  floatTensor,
  input,
  memoryFor,
  type Precision,
  type Session,
  type SessionSettings,
  type Tensor,
  type TensorMemory,
  type Value,
} from "@rag-ft/onnx";
import type { GradientSums } from "@rag-ft/train";
import type { FrozenLayers } from "../frozen/frozen-layers.js";
import { boundaryOf, type Freezable, openFrozen } from "../frozen/open-frozen.js";
import { gradientGraph, parameterGradients } from "../graph/gradient-session.js";
import type { LayerBoundary } from "../graph/layer-boundary.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import type { LoraAdapters } from "../lora/lora-adapters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { Dropout } from "./dropout.js";
import { type EmbedOptions, embedTexts, type TextKind, TokenMemory } from "./embed-texts.js";
import { KeptActivations } from "./kept-activations.js";
import { type LoadedEncoder, sentenceVectors } from "./load-encoder.js";
import type { TokenBatch } from "./token-batch.js";

/** An encoder whose weights can be changed between runs, with gradients. */
export interface TrainableEncoder {
  readonly encoder: LoadedEncoder;
  /** How its matrices are multiplied. */
  readonly precision: Precision;
  /** What is trained: all weights that are not frozen, or adapters. */
  readonly trained: ReadonlyMap<string, WeightTensor>;
  /** Sums of gradients of what is trained since they were last set to zero, by name. */
  readonly gradients: GradientSums;
  /** Where weights and sums stand between runs: `fetch` brings them into the arrays above. */
  readonly memory: TensorMemory;
  /** What it runs on; default the CPU. */
  readonly device?: string | undefined;
  /** The layers that are frozen, if there are any. */
  readonly frozen: FrozenLayers | undefined;
  /** Vectors of a batch, row-major [rows, dimensions], not normalised; without dropout. */
  forward(batch: TokenBatch): Promise<Float32Array>;
  /** The same in training, with dropout; keeps the activations for `backward` of this very batch, if there is memory left for them. */
  forwardKeeping(batch: TokenBatch): Promise<Float32Array>;
  /** Adds to `gradients` those of a scalar, given its gradient with respect to the batch's vectors [rows, dimensions]. */
  backward(batch: TokenBatch, vectorGradients: Float32Array): Promise<void>;
  /** Whether the activations of this very batch are kept. */
  keeps(batch: TokenBatch): boolean;
  /** Makes room again for other activations: all that are kept are gone. */
  forgetActivations(): void;
  /** Vectors of texts with the present weights. */
  embed(texts: readonly string[], kind: TextKind, options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface TrainableEncoderSettings extends SessionSettings, Freezable {
  /** Bytes for activations that are kept from a forward pass to its backward pass (default 0: all are computed again). */
  activationBytes?: number;
  /** Dropout in training (default none), above frozen layers; its masks are to be drawn before each step. */
  dropout?: Dropout;
}

/**
 * Builds forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. With adapters, these alone are
 * trained. Each session is compiled when it is first used.
 *
 * With frozen layers the graphs are those of the layers above: see `FrozenLayers`.
 */
export async function createTrainableEncoder(
  encoder: LoadedEncoder,
  { activationBytes = 0, dropout, freeze, ...settings }: TrainableEncoderSettings = {},
  adapters?: LoraAdapters,
): Promise<TrainableEncoder> {
  const { graph, weights } = encoder;
  const memory = adapters?.memory ?? memoryFor(settings.device);
  const tokens = new TokenMemory();
  const plain = vectorsAbove(graph, { freeze, device: settings.device });
  const { parameters, vectors } = dropout ? vectorsAbove(graph, { freeze, dropout, device: settings.device }) : plain;
  const weightTensors = {
    ...weightInputs(weights, memory),
    ...(adapters ? weightInputs(adapters.weights, memory) : {}),
  };
  const { frozen, inputsOf } = openFrozen(plain.boundary, encoder, weightTensors, { freeze }, settings);
  const trained = adapters?.weights ?? frozen?.above() ?? weights;
  const seeds = [[vectors, input("vector_gradients", "float32", ["batch", graph.dimensions])]] as const;
  const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
  const gradients = gradientGraph(named, trained, memory);

  const cut = cutGraph({ vectors }, gradients.outputs);
  const kept = new KeptActivations(cut.kept, (settings.device ?? CPU) === CPU ? activationBytes : 0);
  const trainingSession = lazySession({ vectors }, settings);
  const forwardSession = dropout ? lazySession({ vectors: plain.vectors }, settings) : trainingSession;
  const backwardSession = lazySession(gradients.outputs, { ...settings, staying: gradients.staying });
  const keepingSession = lazySession({ vectors, ...cut.kept }, settings);
  const continuingSession = lazySession(cut.second, settings);

  const vectorsOf = async (session: typeof forwardSession, inputs: Record<string, Tensor>): Promise<Float32Array> =>
    (await session.run({ ...weightTensors, ...inputs })).vectors?.data as Float32Array;
  const forward = async (batch: TokenBatch): Promise<Float32Array> =>
    vectorsOf(forwardSession, await inputsOf(batch, "evaluation"));
  const trainingInputs = async (batch: TokenBatch): Promise<Record<string, Tensor>> => ({
    ...(await inputsOf(batch, "training")),
    ...dropout?.masksOf(batch),
  });
  return {
    encoder,
    precision: settings.precision ?? "fp32",
    trained,
    gradients: gradients.sums,
    memory,
    device: settings.device,
    frozen,
    forward,
    async forwardKeeping(batch) {
      const inputs = await trainingInputs(batch);
      const room = kept.room(batch);
      if (!room) return vectorsOf(trainingSession, inputs);
      const vectors = floatTensor(new Float32Array(batch.rows * graph.dimensions), [batch.rows, graph.dimensions]);
      const results = await keepingSession.run({ ...weightTensors, ...inputs }, { ...room, vectors });
      kept.keep(batch, results);
      return results.vectors?.data as Float32Array;
    },
    async backward(batch, vectorGradients) {
      const activations = kept.of(batch);
      const session = activations ? continuingSession : backwardSession;
      const vector_gradients = floatTensor(vectorGradients, [batch.rows, graph.dimensions]);
      const inputs = { ...weightTensors, ...(await trainingInputs(batch)), ...activations, vector_gradients };
      await gradients.run(session, inputs, batch.dims);
    },
    keeps: (batch) => kept.of(batch) !== undefined,
    forgetActivations: () => kept.forget(),
    embed: (texts, kind, options) => embedTexts(encoder, forward, texts, kind, options, tokens),
    async close() {
      for (const session of new Set([
        forwardSession,
        trainingSession,
        backwardSession,
        keepingSession,
        continuingSession,
      ]))
        await session.close();
      await frozen?.close();
      await memory.close();
    },
  };
}

/** Sentence vectors of the whole model, or of the layers above those that are frozen; dropout is of these alone. */
function vectorsAbove(
  graph: LoadedEncoder["graph"],
  { freeze, dropout, device }: Freezable & { dropout?: Dropout; device: string | undefined },
): { boundary: LayerBoundary | undefined; parameters: Parameters; vectors: Value } {
  const boundary = boundaryOf({ freeze });
  const parameters = new Parameters({ ...graphFormFor(device), boundary });
  const sites = dropout && (boundary?.sitesAbove(dropout) ?? dropout);
  return { boundary, parameters, vectors: sentenceVectors(graph, parameters, sites) };
}

/** A session that is compiled when it first runs. */
function lazySession(
  outputs: Readonly<Record<string, Value>>,
  settings: SessionSettings,
): Pick<Session, "run" | "close"> {
  let session: Promise<Session> | undefined;
  return {
    async run(inputs, into) {
      session ??= createSession({ outputs }, settings);
      return (await session).run(inputs, into);
    },
    close: async () => (await session)?.close(),
  };
}
