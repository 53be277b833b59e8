import {
  createTokenBatch,
  planBatches,
  TOKENS_PER_RUN,
  type TokenBatch,
  type TrainableEncoder,
  tokenise,
  tokensPerRun,
} from "@rag-ft/models";
import { type Chunked, cachedBackward, type VectorModel } from "@rag-ft/train";
import type { DistilledExamples, RetrieverLoss } from "./distillation.js";
import type { ContrastiveExamples } from "./examples.js";

export interface ContrastiveStep {
  loss: number;
  /** Tokens of questions and passages, padding not counted. */
  tokens: number;
}

/** Texts come again every epoch: their tokens are made once. */
export class TokenCache {
  private readonly known = new Map<string, number[]>();
  constructor(private readonly model: TrainableEncoder) {}

  tokens(text: string, kind: "query" | "passage"): number[] {
    const key = `${kind}:${text}`;
    let ids = this.known.get(key);
    if (!ids) {
      ids = tokenise(this.model.encoder, [text], kind)[0] as number[];
      this.known.set(key, ids);
    }
    return ids;
  }
}

/**
 * Loss of a batch, and its gradients added to the model's: all questions and passages are cut together in chunks of near-equal length, each
 * distinct text embedded once.
 */
export async function contrastiveStep(
  model: TrainableEncoder,
  loss: Pick<RetrieverLoss, "runTogether">,
  cache: TokenCache,
  {
    queries,
    passages,
    labels,
    excluded,
    positives,
    distilled,
  }: ContrastiveExamples & { distilled?: DistilledExamples },
  scale: number,
): Promise<ContrastiveStep> {
  const { graph, tokenizer, settings } = model.encoder;
  const { dimensions } = graph;
  const sequences = [
    ...queries.map((query) => cache.tokens(query, "query")),
    ...[...passages, ...(distilled?.further ?? [])].map((passage) => cache.tokens(passage.fmt_content, "passage")),
  ];
  const chunks: Chunked<TokenBatch>[] = planBatches(
    sequences.map((ids) => ids.length),
    tokensPerRun(TOKENS_PER_RUN, model.device),
  ).map((rows) => ({
    rows,
    chunk: createTokenBatch(
      rows.map((row) => sequences[row] as number[]),
      tokenizer.padId,
      settings.pooling,
    ),
  }));
  model.forgetActivations(); // of a step that was broken off
  const vectorModel: VectorModel<TokenBatch> = {
    forward: (chunk) => model.forwardKeeping(chunk),
    backward: (chunk, gradients) => model.backward(chunk, gradients),
  };
  const value = await cachedBackward(vectorModel, chunks, { total: sequences.length, dimensions }, (vectors) =>
    loss.runTogether(vectors, {
      ...{ labels, excluded, positives, scale },
      contrasted: passages.length,
      lists: distilled?.lists,
    }),
  );
  model.forgetActivations();
  return { loss: value, tokens: chunks.reduce((sum, { chunk }) => sum + chunk.tokens, 0) };
}
