import { throwIfCancelled, UserError } from "@rag-ft/core";
import { CPU, createSession, quantisedModel, requireDevice, type SessionSettings } from "@rag-ft/onnx";
import type { EmbedOptions } from "../encoder/embed-texts.js";
import { planBatches } from "../encoder/token-batch.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { type LoadedScorer, loadScorer, pairLogits, type ScorerOptions } from "./load-scorer.js";
import { createPairBatch, type PairBatch } from "./pair-batch.js";
import { encodePairFor } from "./pair-format.js";

/** A question and a passage. */
export type TextPair = readonly [question: string, passage: string];

/** Says how well passages answer questions. */
export interface PairScorer {
  /** One score a pair, the greater the better. */
  score(pairs: readonly TextPair[], options?: EmbedOptions): Promise<Float32Array>;
  /** The same before the sigmoid, where the model has one: differences among sure scores are not rounded away. */
  logits(pairs: readonly TextPair[], options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Logits of pairs, given those of a batch; batches hold pairs of near-equal length. */
export async function logitsOfPairs(
  scorer: LoadedScorer,
  forward: (batch: PairBatch) => Promise<Float32Array>,
  pairs: readonly TextPair[],
  { signal, onProgress }: EmbedOptions = {},
): Promise<Float32Array> {
  const { tokenizer, labels, folder } = scorer;
  if (labels !== 1) {
    throw new UserError(
      `${folder}: the model gives ${labels} labels (id2label of config.json), expected 1: a reranker has one score.`,
    );
  }
  const tokens = pairs.map(([question, passage]) => encodePairFor(scorer, question, passage));
  const logits = new Float32Array(pairs.length);
  let done = 0;
  for (const rows of planBatches(tokens.map(({ ids }) => ids.length))) {
    if (signal) throwIfCancelled(signal);
    const made = await forward(
      createPairBatch(
        rows.map((row) => tokens[row] as (typeof tokens)[number]),
        tokenizer.padId,
      ),
    );
    rows.forEach((row, i) => {
      logits[row] = made[i] as number;
    });
    done += rows.length;
    onProgress?.(done, pairs.length);
  }
  return logits;
}

/** Scores of pairs: their logits, through the sigmoid where the model has one. */
export async function scorePairs(
  scorer: LoadedScorer,
  forward: (batch: PairBatch) => Promise<Float32Array>,
  pairs: readonly TextPair[],
  options: EmbedOptions = {},
): Promise<Float32Array> {
  const logits = await logitsOfPairs(scorer, forward, pairs, options);
  return scorer.sigmoid ? logits.map((logit) => 1 / (1 + Math.exp(-logit))) : logits;
}

export interface CompileScorerOptions extends SessionSettings {
  /** Linear layers and the table of tokens in 8 bits: a quarter of the memory, and scores that are near those of single precision. */
  int8?: boolean;
}

/** Opens a reranker for inference. */
export async function openScorer(
  nameOrFolder: string,
  options: ScorerOptions & CompileScorerOptions,
): Promise<PairScorer> {
  await requireDevice(options.device ?? CPU);
  return compileScorer(await loadScorer(nameOrFolder, options), options);
}

/** A reranker in memory, ready for inference: its weights are part of the compiled graph. */
export async function compileScorer(scorer: LoadedScorer, options: CompileScorerOptions = {}): Promise<PairScorer> {
  const source = {
    outputs: { logits: pairLogits(scorer, new Parameters(graphFormFor(options.device))) },
    weights: scorer.weights,
  };
  const session = await createSession(options.int8 ? quantisedModel(source) : source, options);
  const forward = async (batch: PairBatch): Promise<Float32Array> =>
    (await session.run(batch.inputs)).logits?.data as Float32Array;
  return {
    score: (pairs, scoreOptions) => scorePairs(scorer, forward, pairs, scoreOptions),
    logits: (pairs, scoreOptions) => logitsOfPairs(scorer, forward, pairs, scoreOptions),
    close: () => session.close(),
  };
}
