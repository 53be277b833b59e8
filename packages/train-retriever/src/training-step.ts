import { documentId } from "@rag-ft/core";
import type { Dropout, TrainableEncoder } from "@rag-ft/models";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { createContrastiveLoss, describeExamples, type StepResult, seedFor } from "@rag-ft/train";
import { contrastiveStep, TokenCache } from "./contrastive-step.js";
import type { TrainRetrieverSettings } from "./settings.js";
import { stoppableEncoder } from "./stoppable-encoder.js";
import type { ComposedBatch } from "./training-batches.js";

/** One step's work: `gradient_accumulation_steps` batches, their losses averaged. */
export async function createStep(
  settings: TrainRetrieverSettings,
  model: TrainableEncoder,
  dropout: Dropout | undefined,
  batchAt: (number: number) => ComposedBatch,
  temperature: number,
  signal: AbortSignal,
): Promise<{ runStep: (step: number) => Promise<StepResult>; close: () => Promise<void> }> {
  const { graph, settings: how } = model.encoder;
  const { dimensions } = graph;
  const loss = await createContrastiveLoss(
    { dimensions, similarity: how.similarity, temperature, lengths: settings.matryoshka_dims },
    { threads: settings.threads, device: settings.device },
  );
  const cache = new TokenCache(model);
  const stoppable = stoppableEncoder(model, signal);
  const parts = settings.gradient_accumulation_steps;
  return {
    close: loss.close,
    async runStep(step) {
      const sum = { loss: 0, examples: 0, tokens: 0 };
      const seen: RetrievalExample[] = [];
      for (let part = 0; part < parts; part++) {
        const number = (step - 1) * parts + part;
        const { batch, examples } = batchAt(number);
        dropout?.draw(seedFor(settings.seed, "dropout", number));
        const result = await contrastiveStep(stoppable, loss, cache, examples, 1 / parts);
        sum.loss += result.loss;
        sum.tokens += result.tokens;
        sum.examples += batch.length;
        seen.push(...batch);
      }
      const describe = (): string =>
        describeExamples(
          seen.map(({ question, gold_docs: [gold] }) => ({ text: question, id: gold && documentId(gold) })),
        );
      return { ...sum, describe };
    },
  };
}
