import type { Dropout, TrainableEncoder } from "@rag-ft/models";
import { type RetrievalExample, shownQuestion } from "@rag-ft/retrieval";
import {
  accumulatedStep,
  createContrastiveLoss,
  createDistillationLoss,
  type StepPart,
  type StepResult,
  seedFor,
} from "@rag-ft/train";
import { contrastiveStep, TokenCache } from "./contrastive-step.js";
import { type Distillation, type RetrieverLoss, withDistillation } from "./distillation.js";
import type { TrainRetrieverSettings } from "./settings.js";
import { stoppableEncoder } from "./stoppable-encoder.js";
import type { ComposedBatch } from "./training-batches.js";

/** The loss that settings ask for. */
async function createLoss(
  settings: TrainRetrieverSettings,
  { graph: { dimensions }, settings: { similarity } }: TrainableEncoder["encoder"],
  temperature: number,
  distillation: Distillation | undefined,
): Promise<RetrieverLoss> {
  const { threads, device, matryoshka_dims: lengths, distil_weight: weight, distil_loss: kind } = settings;
  const session = { threads, device };
  const contrastive = await createContrastiveLoss({ dimensions, similarity, temperature, lengths }, session);
  if (distillation === undefined) return contrastive;
  const { teacherTemperature } = distillation;
  const studentTemperature = settings.distil_student_temperature ?? temperature;
  const taught = await createDistillationLoss(
    { kind, dimensions, similarity, studentTemperature, teacherTemperature, lengths },
    session,
  );
  return withDistillation(contrastive, taught, { weight, dimensions });
}

/** One step's work: `gradient_accumulation_steps` batches, their losses averaged. */
export async function createStep(
  settings: TrainRetrieverSettings,
  model: TrainableEncoder,
  dropout: Dropout | undefined,
  batchAt: (number: number) => ComposedBatch,
  { temperature, distillation }: { temperature: number; distillation: Distillation | undefined },
  signal: AbortSignal,
): Promise<{ runStep: (step: number) => Promise<StepResult>; close: () => Promise<void> }> {
  const loss = await createLoss(settings, model.encoder, temperature, distillation);
  const cache = new TokenCache(model);
  const stoppable = stoppableEncoder(model, signal);
  const parts = settings.gradient_accumulation_steps;
  const part = async (number: number): Promise<StepPart<RetrievalExample>> => {
    const { batch, examples } = batchAt(number);
    dropout?.draw(seedFor(settings.seed, "dropout", number));
    return { batch, ...(await contrastiveStep(stoppable, loss, cache, examples, 1 / parts)) };
  };
  return {
    close: loss.close,
    runStep: (step) => accumulatedStep(step, parts, part, shownQuestion),
  };
}
