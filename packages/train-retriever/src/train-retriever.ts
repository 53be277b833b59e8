import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  documentId,
  formatTable,
  readDocuments,
  readQuestions,
  type StageContext,
  type StageResult,
  type TableRow,
  UserError,
  withFolderLock,
  writeJsonAtomic,
} from "@rag-ft/core";
import {
  type Candidate,
  candidateName,
  candidatePlace,
  checkResultSettings,
  chooseResult,
  promoteCheckpoint,
  writeChoice,
} from "@rag-ft/fine-tune";
import { figuresAmong, isShown } from "@rag-ft/metrics";
import {
  createTrainableEncoder,
  type Dropout,
  encoderAdapters,
  type LoadedEncoder,
  loadEncoder,
  requireDevice,
  safetensorsFiles,
  saveEncoder,
  type TrainableEncoder,
  WindowedDropout,
  writeAdapter,
} from "@rag-ft/models";
import { bm25Retriever, HYBRID_FILE, hybridRetriever, writeHybridWeight } from "@rag-ft/retrieval";
import {
  createContrastiveLoss,
  describeExamples,
  type Evaluation,
  type Figures,
  ignoredSettings,
  loraSettings,
  randomFor,
  requireCheckpoint,
  runTraining,
  ShuffledBatches,
  type StepResult,
  seedFor,
  totalSteps,
} from "@rag-ft/train";
import { contrastiveStep, TokenCache } from "./contrastive-step.js";
import {
  BestVectors,
  baselineFigures,
  encoderOf,
  evaluationOf,
  figuresOf,
  indexWith,
  keepVectors,
  withSplit,
} from "./evaluation.js";
import { type ContrastiveExamples, composeBatch, flattenQuestions } from "./examples.js";
import { likelyAnswersOf } from "./guided-masks.js";
import { chooseOnEval } from "./hybrid.js";
import { identityOf } from "./identity.js";
import type { Masks } from "./masks.js";
import { countMasked, type MaskCounts, nearDuplicatesOf } from "./near-duplicate-masks.js";
import type { RetrievalExample } from "./retrieval-example.js";
import type { TrainRetrieverSettings } from "./settings.js";
import { stoppableEncoder } from "./stoppable-encoder.js";

const DEFAULT_TEMPERATURE = { cosine: 0.02, dot: 1 };

/** Loads the encoder with the settings given. The reference's temperature of 1 means unnormalised dot products. */
async function openModel(settings: TrainRetrieverSettings, context: StageContext): Promise<LoadedEncoder> {
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
    },
  });
}

/** Masks by what is asked for: near-duplicates of gold passages, and what the model as it is now takes for an answer. */
async function createMasks(
  settings: TrainRetrieverSettings,
  train: readonly RetrievalExample[],
  model: TrainableEncoder,
  signal: AbortSignal,
): Promise<Masks> {
  const margin = settings.guided_masking;
  const guide = { withHardNegatives: settings.hard_neg_ratio > 0, signal };
  return {
    isNear: settings.mask_near_duplicates ? await nearDuplicatesOf(train, signal) : undefined,
    isLikely:
      margin === undefined ? undefined : await likelyAnswersOf(train, encoderOf(model, "base"), { ...guide, margin }),
  };
}

/** The batches of a training by their number, and what is masked of those of all steps. */
function createBatches(
  settings: TrainRetrieverSettings,
  train: readonly RetrievalExample[],
  masks: Masks,
  steps: number,
  { reporter }: StageContext,
): { at: (number: number) => ComposedBatch; record: Record<string, MaskCounts> } {
  const { seed, per_device_train_batch_size: size, hard_neg_ratio: hardNegatives } = settings;
  const source = new ShuffledBatches(train, size, seed);
  const at = (number: number): ComposedBatch => {
    const batch = source.at(number);
    return { batch, examples: composeBatch(batch, hardNegatives, randomFor(seed, "hardNegatives", number), masks) };
  };
  const record: Record<string, MaskCounts> = {};
  if (!masks.isNear && !masks.isLikely) return { at, record };
  const numbers = Array.from({ length: steps * settings.gradient_accumulation_steps }, (_, number) => number);
  const { near_duplicates, guided } = countMasked(numbers.map((number) => at(number).examples));
  const count = (name: string, title: string, counts: MaskCounts): void => {
    record[name] = counts;
    const percent = (100 * counts.share).toFixed(2);
    reporter.info(
      `${title}: ${counts.masked_pairs} of ${counts.pairs} pairs of question and passage (${percent} %) are no negatives`,
    );
  };
  if (masks.isNear) count("near_duplicates", "near-duplicates", near_duplicates);
  if (masks.isLikely) count("guided", "likely answers", guided);
  return { at, record };
}

interface ComposedBatch {
  batch: readonly RetrievalExample[];
  examples: ContrastiveExamples;
}

/** One step's work: `gradient_accumulation_steps` batches, their losses averaged. */
async function createStep(
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
    { dimensions, similarity: how.similarity, temperature },
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

function tableRow(split: string, model: string, figures: Figures): TableRow {
  return { split, model, ...figures };
}

/** Every model's figures, those that tables of retrievers show. */
function figuresTable(rows: readonly TableRow[]): string {
  const figures = figuresAmong(rows.flatMap((row) => Object.keys(row))).filter((figure) => isShown(figure, "own"));
  return formatTable(rows, ["split", "model", ...figures.map(({ name, heading }) => ({ key: name, title: heading }))]);
}

/** Fine-tunes an encoder by in-batch contrastive learning, keeping the checkpoint with the best recall. */
export function runTrainRetriever(settings: TrainRetrieverSettings, context: StageContext): Promise<StageResult> {
  return withFolderLock(settings.output_dir, (signal) => trainEncoder(settings, { ...context, signal }), context);
}

async function trainEncoder(settings: TrainRetrieverSettings, context: StageContext): Promise<StageResult> {
  const { reporter, signal } = context;
  const output = settings.output_dir;
  if (!settings.do_train && !settings.do_eval)
    throw new UserError("do_train and do_eval are both false: nothing to do.");
  checkResultSettings(settings);
  const lora = loraSettings(settings);
  await requireCheckpoint(settings);
  // All inputs are read first: a mistake in any of them then costs nothing.
  await requireDevice(settings.device);
  const documents = await readDocuments(settings.full_dataset_file_path);
  const train = settings.do_train ? flattenQuestions(await readQuestions(settings.train_file)) : [];
  const evaluation = flattenQuestions(await readQuestions(settings.eval_file));
  const test = settings.test_file ? flattenQuestions(await readQuestions(settings.test_file)) : undefined;
  const encoder = await openModel(settings, context);
  const ignored = ignoredSettings(settings);
  if (ignored) reporter.info(ignored);

  const temperature = settings.temperature ?? DEFAULT_TEMPERATURE[encoder.settings.similarity];
  const steps = settings.do_train ? totalSteps(settings, train.length) : 0;
  reporter.info(
    `${settings.model_path}: ${train.length} questions, ${steps} steps of ${settings.per_device_train_batch_size}, ` +
      `${encoder.settings.similarity} / ${temperature}; database of ${documents.length} passages`,
  );
  // Before adapters and training change the weights.
  const identity = await identityOf(settings, encoder, { documents, train, evaluation, test });
  const session = { threads: settings.threads, device: settings.device };
  const adapters = lora && encoderAdapters(encoder, lora, session);
  if (adapters) reporter.info(adapters.describe());
  const activationBytes = settings.activation_memory * 2 ** 20;
  const dropout = settings.dropout > 0 ? new WindowedDropout(settings.dropout) : undefined;
  const model = await createTrainableEncoder(encoder, { ...session, activationBytes, dropout }, adapters);
  const masks = await createMasks(settings, train, model, signal);
  const batches = createBatches(settings, train, masks, steps, context);
  const save = (folder: string, extra?: (temporary: string) => Promise<void>): Promise<void> =>
    saveEncoder(folder, encoder, async (temporary) => {
      if (adapters) await writeAdapter(temporary, adapters, { base: settings.model_path, task: "FEATURE_EXTRACTION" });
      await extra?.(temporary);
    });
  const step = await createStep(settings, model, dropout, batches.at, temperature, signal);
  const metric = settings.metric_for_best_model;
  const decides = { name: metric, greaterIsBetter: true };
  const { weights, folder, architecture } = encoder;
  const base = { weights, folder, weightPrefixes: architecture.weightPrefixes };
  const testPath = join(output, "test.json");
  const hybridPath = join(output, HYBRID_FILE);
  const vectors = { steps: new BestVectors(), alphas: new BestVectors() };
  try {
    const outcome = await runTraining({
      settings,
      identity,
      steps,
      weights: model.trained,
      onWeightsChanged: async () => adapters?.merge(),
      gradients: model.gradients,
      runStep: step.runStep,
      ...(settings.do_eval
        ? {
            evaluate: async (at: number): Promise<Evaluation> => {
              const indexed = await indexWith(model, documents, context, at === 0 ? settings.index_path : undefined);
              const result = await evaluationOf(indexed, evaluation, metric, context);
              vectors.steps.offer(at, result.figures[metric] as number, indexed);
              return at === 0 && test ? { ...result, test: await figuresOf(indexed, test, context) } : result;
            },
          }
        : {}),
      metric: decides,
      save,
      files: safetensorsFiles,
      reporter,
      signal,
    });
    return await outcome.conclude(async () => {
      const { baseFigures } = outcome;
      const evaluate = async (alpha: number): Promise<Evaluation> => {
        const indexed = await indexWith(model, documents, context);
        const result = await evaluationOf(indexed, evaluation, metric, context);
        vectors.alphas.offer(alpha, result.figures[metric] as number, indexed);
        return result;
      };
      const result = settings.do_train
        ? await chooseResult({
            settings,
            metric: decides,
            base,
            trained: model.trained,
            adapters,
            outcome,
            steps,
            evaluate,
          })
        : undefined;
      if (result) {
        if (!result.isOnDisk) await save(result.folder);
        await rm(hybridPath, { force: true }); // of other weights
        await promoteCheckpoint(result.folder, output);
      }
      const choice = result?.choice;
      await writeChoice(output, choice, metric);
      const kept: Pick<Candidate, "step" | "alpha"> & { figures: Figures | undefined } = choice?.kept ?? {
        step: outcome.bestStep,
        figures: outcome.bestFigures,
      };
      const indexed =
        settings.do_eval || (test && kept.step > 0)
          ? ((kept.alpha === undefined ? vectors.steps.of(kept.step) : vectors.alphas.of(kept.alpha)) ??
            (await indexWith(model, documents, context)))
          : undefined;
      if (indexed && settings.index_path) await keepVectors(model, indexed, settings.index_path);
      const hybrid =
        settings.do_eval && indexed
          ? await chooseOnEval(indexed, evaluation, metric.replace(SPLIT, ""), context)
          : undefined;
      if (hybrid && settings.do_train) await writeHybridWeight(output, hybrid.chosen);
      const name = steps > 0 ? candidateName(kept) : "base";
      const baseline = bm25Retriever(documents);
      const rows = [
        ...(settings.do_eval ? [tableRow("eval", "BM25", await baselineFigures(baseline, evaluation, context))] : []),
        ...(baseFigures ? [tableRow("eval", "base", withoutSplit(baseFigures))] : []),
        ...(choice?.candidates ?? []).map((one) => tableRow("eval", candidateName(one), withoutSplit(one.figures))),
        ...(hybrid ? [tableRow("eval", `${name} + ${hybrid.best.bm25_weight} BM25`, hybrid.best.figures)] : []),
      ];
      const figures: Figures = { ...kept.figures };
      if (test) {
        const base = outcome.baseTest ?? {};
        const best = kept.step === 0 || !indexed ? base : await figuresOf(indexed, test, context);
        const weight = hybrid?.best.bm25_weight;
        const fused =
          indexed && weight !== undefined
            ? await baselineFigures(hybridRetriever(indexed.index, indexed.encoder, weight), test, context)
            : undefined;
        const bm25 = await baselineFigures(baseline, test, context);
        await writeJsonAtomic(testPath, {
          bm25,
          base,
          best: { ...best, ...candidatePlace(kept) },
          ...(fused ? { hybrid: { ...fused, bm25_weight: weight } } : {}),
          questions: test.length,
          passages: documents.length,
        });
        rows.push(
          tableRow("test", "BM25", bm25),
          tableRow("test", "base", base),
          tableRow("test", candidateName(kept), best),
        );
        if (fused) rows.push(tableRow("test", `${name} + ${weight} BM25`, fused));
        Object.assign(figures, withSplit("test", best));
      } else await rm(testPath, { force: true }); // of an earlier run
      return {
        outputs: [output],
        figures,
        ...(Object.keys(batches.record).length > 0 ? { record: batches.record } : {}),
        summary: [figuresTable(rows), ...(choice ? [choice.verdict] : [])].join("\n"),
      };
    });
  } finally {
    await step.close();
    await model.close();
    await adapters?.close();
  }
}

const SPLIT = /^\w+_retr\//;

function withoutSplit(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name.replace(SPLIT, ""), value]));
}
