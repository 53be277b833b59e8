import { type StageContext, sourceOf, UserError } from "@rag-ft/core";
import {
  type FineTuneTask,
  freezeSettings,
  type OpenedTask,
  retrieverColumns,
  withoutSplit,
  withSplit,
} from "@rag-ft/fine-tune";
import {
  createTrainableEncoder,
  encoderAdapters,
  frozenEncoderPart,
  type LoadedEncoder,
  loadEncoder,
  saveEncoder,
  type TrainableEncoder,
  WindowedDropout,
} from "@rag-ft/models";
import { HYBRID_FILE, readTrainingQuestions, type TrainingQuestions } from "@rag-ft/retrieval";
import { totalSteps } from "@rag-ft/train";
import { retrieverCard } from "./card.js";
import { compareSearches } from "./compare-searches.js";
import { describeDistillation, readDistillation } from "./distillation.js";
import { ModelInTraining } from "./evaluation.js";
import { identityOf } from "./identity.js";
import { sampleDatabase } from "./sample-database.js";
import type { TrainRetrieverSettings } from "./settings.js";
import { createBatches } from "./training-batches.js";
import { createStep } from "./training-step.js";

const DEFAULT_TEMPERATURE = { cosine: 0.02, dot: 1 };

/** What scores are divided by. */
export function temperatureOf({ temperature }: TrainRetrieverSettings, { settings }: LoadedEncoder): number {
  return temperature ?? DEFAULT_TEMPERATURE[settings.similarity];
}

/** Loads the encoder with the settings given. The reference's temperature of 1 means unnormalised dot products. */
export async function openModel(settings: TrainRetrieverSettings, context: StageContext): Promise<LoadedEncoder> {
  const { env, reporter, signal } = context;
  return loadEncoder(settings.model_path, {
    env,
    reporter,
    signal,
    overrides: {
      pooling: settings.pooling_type,
      similarity: settings.similarity ?? (settings.temperature === 1 ? "dot" : undefined),
      query_prefix: settings.query_prefix,
      passage_prefix: settings.passage_prefix,
      max_length: settings.max_seq_length,
      truncate_dim: settings.truncate_dim,
    },
  });
}

/** The stage's inputs and its model, for a training in this process or to measure one elsewhere. */
export async function openTask(settings: TrainRetrieverSettings, context: StageContext): Promise<OpenedTask> {
  checkPositives(settings);
  const data = await readTrainingQuestions(settings);
  const distillation = await readDistillation(settings, data, context.reporter);
  const encoder = await openModel(settings, context);
  checkLengths(settings, encoder);
  const frozen = frozenEncoderPart(encoder, settings.freeze_layers);
  const { similarity } = encoder.settings;
  const temperature = temperatureOf(settings, encoder);
  const steps = settings.do_train ? totalSteps(settings, data.train.length) : 0;
  const identity = await identityOf(settings, encoder, data, distillation);
  return {
    modelName: settings.model_path,
    base: encoder,
    announcement:
      `${settings.model_path}: ${data.train.length} questions, ${steps} steps of ${settings.per_device_train_batch_size}, ` +
      `${similarity} / ${temperature}; database of ${data.documents.length} passages` +
      (distillation ? `; ${describeDistillation(settings, distillation)}` : ""),
    adapterTask: "FEATURE_EXTRACTION",
    adapters: (lora, session) => encoderAdapters(encoder, lora, session, frozen),
    async prepare(session, adapters) {
      const activationBytes = settings.activation_memory * 2 ** 20;
      const dropout = settings.dropout > 0 ? new WindowedDropout(settings.dropout) : undefined;
      const freeze = freezeSettings(settings, context.reporter);
      const model = await createTrainableEncoder(encoder, { ...session, activationBytes, dropout, freeze }, adapters);
      const batches = await createBatches(settings, { ...data, distillation }, steps, context);
      const step = await createStep(
        settings,
        model,
        dropout,
        batches.at,
        { temperature, distillation },
        context.signal,
      );
      return {
        identity,
        steps,
        model,
        runStep: step.runStep,
        ...searchTask(settings, model, data, context),
        splitBy: data.splitBy,
        record: { ...batches.record, ...(distillation ? { distilled_from: distillation.teacher } : {}) },
        card: retrieverCard(settings, encoder.settings, { temperature, distillation }, data),
        async close() {
          await step.close();
          await model.close();
        },
      };
    },
  };
}

/** Refuses positives that nothing would draw. */
function checkPositives({ positives, extra_positives }: TrainRetrieverSettings): void {
  if (positives === "one" && extra_positives > 0)
    throw new UserError(
      `extra_positives is ${extra_positives}, but positives is one: no other passage is a positive. Give --positives all, or leave extra_positives out.`,
    );
}

/** Refuses lengths that the encoder's vectors do not have. */
export function checkLengths(
  { matryoshka_dims: lengths }: TrainRetrieverSettings,
  { graph, folder }: LoadedEncoder,
): void {
  const longer = lengths?.find((length) => length > graph.dimensions);
  if (longer !== undefined) {
    throw new UserError(
      `matryoshka_dims: ${longer} is more than the ${graph.dimensions} entries of the vectors of ${folder}. Leave it out.`,
    );
  }
}

/** Measures the eval questions on a part of the database where settings say so; the test questions always on the whole. */
function measuredOn(
  settings: TrainRetrieverSettings,
  model: TrainableEncoder,
  { documents, evaluation }: TrainingQuestions,
  context: StageContext,
): { evaluation: ModelInTraining; test: ModelInTraining; isPart: boolean } {
  const { eval_passages: others, seed } = settings;
  const part = others === undefined ? documents : sampleDatabase(documents, evaluation, { count: others, seed });
  const test = new ModelInTraining(settings, model, documents, context);
  if (part.length === documents.length) return { evaluation: test, test, isPart: false };
  context.reporter.info(`eval questions are measured on ${part.length} of ${documents.length} passages`);
  const split = `eval_of_${part.length}`;
  return { evaluation: new ModelInTraining(settings, model, part, context, split), test, isPart: true };
}

/** What is measured is search. */
function searchTask(
  settings: TrainRetrieverSettings,
  model: TrainableEncoder,
  data: TrainingQuestions,
  context: StageContext,
): Omit<FineTuneTask, "identity" | "steps" | "model" | "runStep" | "record" | "close"> {
  const { documents, test } = data;
  const measured = measuredOn(settings, model, data, context);
  const { length } = measured.evaluation.documents;
  return {
    metric: { name: measured.evaluation.metric, greaterIsBetter: true },
    evaluate: (place) => measured.evaluation.evaluate(place, data.evaluation),
    ...(measured.isPart ? { evalName: `eval, ${length} passages` } : {}),
    sources: data.evaluation.map(sourceOf),
    test: test && {
      measure: (place) => measured.test.test(place, test),
      sources: test.map(sourceOf),
      about: { questions: test.length, passages: documents.length },
      inRecord: (figures) => withSplit("test", figures),
    },
    table: { columns: retrieverColumns, cells: withoutSplit },
    save: (folder, extra) => saveEncoder(folder, model.encoder, extra, { onnx: settings.save_onnx }),
    filesOfWeights: [HYBRID_FILE],
    compare: (kept) => compareSearches(settings, measured, data, kept, context),
  };
}
