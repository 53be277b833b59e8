import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  choosePromptFormat,
  type Document,
  formatTable,
  type NumberedQaRow,
  type PromptFormat,
  type QaRow,
  readDocuments,
  readPromptFormat,
  readQa,
  type StageContext,
  type StageResult,
  throwIfCancelled,
  UserError,
  withFolderLock,
  writeJsonAtomic,
  writePromptFormat,
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
import {
  createTrainableDecoder,
  decoderAdapters,
  type LoadedDecoder,
  loadDecoder,
  requireDevice,
  safetensorsFiles,
  saveDecoder,
  type TrainableDecoder,
  writeAdapter,
} from "@rag-ft/models";
import { checkRetrieval, openPassageEncoder, openRetriever } from "@rag-ft/retrieval";
import {
  describeExamples,
  type Evaluation,
  type Figures,
  ignoredSettings,
  loraSettings,
  requireCheckpoint,
  runTraining,
  ShuffledBatches,
  type StepResult,
  totalSteps,
} from "@rag-ft/train";
import { makeExamples, type QuestionExample } from "./examples.js";
import { identityOf } from "./identity.js";
import { answerBatches, answerLosses, type Losses } from "./loss.js";
import type { TrainGeneratorSettings } from "./settings.js";

interface Splits<T> {
  train: T;
  eval: T;
  test: T | undefined;
}

/** Retrieves over the full database for every question of every split; the encoder is closed before training needs its memory. */
async function retrieveAll(
  settings: TrainGeneratorSettings,
  documents: readonly Document[],
  splits: Splits<QaRow[]>,
  { env, reporter, signal }: StageContext,
): Promise<Splits<Document[][]>> {
  if (settings.embedding_max_num_to_retrieve === 0) return { train: [], eval: [], test: [] };
  const { device, embedding_model: model } = settings;
  const retriever = await openRetriever(documents, {
    settings,
    model,
    openEncoder: () => openPassageEncoder(model, { env, reporter, signal, device }),
    ...(settings.full_dataset_index_path ? { indexPath: settings.full_dataset_index_path } : {}),
    reporter,
    signal,
  });
  try {
    // One more than is kept: the gold passage is usually among them.
    const depth = settings.embedding_max_num_to_retrieve + 1;
    const found = async (rows: readonly QaRow[]): Promise<Document[][]> => {
      const questions = rows.map((row) => row.question);
      return (await retriever.retrieve(questions, depth, { reporter, signal })).map((item) => item.documents);
    };
    return {
      train: await found(splits.train),
      eval: await found(splits.eval),
      test: splits.test ? await found(splits.test) : undefined,
    };
  } finally {
    await retriever.close();
  }
}

function tokenLimit(settings: TrainGeneratorSettings, decoder: LoadedDecoder): number {
  return Math.min(settings.max_seq_length, decoder.graph.maxTokens);
}

/** The stop text must be something that the model can say as it is and generation can look for. */
function checkStop(format: PromptFormat): void {
  if (format.sep_sys === "") {
    throw new UserError(
      "sep_sys is empty: the generator would never learn to stop. Give the stop token, such as </s> or <|im_end|>.",
    );
  }
}

function createStep(
  settings: TrainGeneratorSettings,
  model: TrainableDecoder,
  train: readonly QuestionExample[],
  signal: AbortSignal,
): (step: number) => Promise<StepResult> {
  const size = settings.per_device_train_batch_size * settings.gradient_accumulation_steps;
  const source = new ShuffledBatches(train, size, settings.seed);
  return async (step) => {
    const batch = source.at(step - 1);
    const work = answerBatches(batch, model.decoder.tokenizer.padId);
    let loss = 0;
    for (const part of work.batches) {
      throwIfCancelled(signal);
      loss += await model.backward(part);
    }
    const describe = (): string =>
      describeExamples(batch.map(({ question, line }) => ({ text: question, id: `${settings.train_file}:${line}` })));
    return { loss, examples: batch.length, tokens: work.tokens, describe };
  };
}

/** Fine-tunes a decoder on answers, with passages of a fixed retriever in the prompt; keeps the checkpoint with the lowest loss. */
export function runTrainGenerator(settings: TrainGeneratorSettings, context: StageContext): Promise<StageResult> {
  return withFolderLock(settings.output_dir, (signal) => trainDecoder(settings, { ...context, signal }), context);
}

async function trainDecoder(settings: TrainGeneratorSettings, context: StageContext): Promise<StageResult> {
  const { reporter, signal, env } = context;
  const output = settings.output_dir;
  const lora = loraSettings(settings);
  checkRetrieval(settings);
  checkResultSettings(settings);
  await requireCheckpoint(settings);
  await requireDevice(settings.device);
  const documents = await readDocuments(settings.full_dataset_file_path);
  const rows: Splits<NumberedQaRow[]> = {
    train: await readQa(settings.train_file, reporter),
    eval: await readQa(settings.eval_file, reporter),
    test: settings.test_file ? await readQa(settings.test_file, reporter) : undefined,
  };
  const decoder = await loadDecoder(settings.model_name_or_path, { env, reporter, signal });
  const saved = await readPromptFormat(decoder.folder);
  if (saved !== undefined) reporter.info(`${decoder.folder}: its prompt format is used; flags overrule it.`);
  const format = choosePromptFormat(saved, settings);
  checkStop(format);
  const ignored = ignoredSettings(settings);
  if (ignored) reporter.info(ignored);
  const session = { threads: settings.threads, device: settings.device };
  const adapters = lora && decoderAdapters(decoder, lora, session);
  if (adapters) reporter.info(adapters.describe());

  const retrieved = await retrieveAll(settings, documents, rows, context);
  const exampleSettings = {
    format,
    tokenizer: decoder.tokenizer,
    maxTokens: tokenLimit(settings, decoder),
    maxRetrieved: settings.embedding_max_num_to_retrieve,
    seed: settings.seed,
  };
  const examples: Splits<QuestionExample[]> = {
    train: makeExamples(rows.train, retrieved.train, exampleSettings, settings.train_file, reporter),
    eval: makeExamples(rows.eval, retrieved.eval, exampleSettings, settings.eval_file, reporter),
    test:
      rows.test && makeExamples(rows.test, retrieved.test ?? [], exampleSettings, settings.test_file ?? "", reporter),
  };
  const steps = totalSteps(settings, examples.train.length);
  const size = settings.per_device_train_batch_size * settings.gradient_accumulation_steps;
  reporter.info(`${settings.model_name_or_path}: ${examples.train.length} questions, ${steps} steps of ${size}`);

  // Before training changes the weights.
  const identity = await identityOf(settings, decoder, format, examples);
  const testPath = join(output, "test.json");
  const model = await createTrainableDecoder(decoder, session, adapters);
  const save = (folder: string, extra?: (temporary: string) => Promise<void>): Promise<void> =>
    saveDecoder(folder, decoder, async (temporary) => {
      await writePromptFormat(temporary, format);
      if (adapters) await writeAdapter(temporary, adapters, { base: settings.model_name_or_path, task: "CAUSAL_LM" });
      await extra?.(temporary);
    });
  const measured = async (split: QuestionExample[], label: string): Promise<Losses> => {
    const progress = reporter.start(label, split.length);
    try {
      return await answerLosses(model, split, { signal, onProgress: (done) => progress.update(done) });
    } finally {
      progress.stop();
    }
  };
  const metric = { name: "eval_loss", greaterIsBetter: false };
  const evaluate = async (): Promise<Evaluation> => {
    const { loss, values } = await measured(examples.eval, "eval loss");
    return { figures: { eval_loss: loss }, values };
  };
  try {
    const outcome = await runTraining({
      settings,
      identity,
      steps,
      weights: model.trained,
      onWeightsChanged: async () => adapters?.merge(),
      gradients: model.gradients,
      runStep: createStep(settings, model, examples.train, signal),
      ...(settings.do_eval
        ? {
            evaluate: async (step: number): Promise<Evaluation> => {
              const result = await evaluate();
              if (step > 0 || !examples.test) return result;
              return { ...result, test: { loss: (await measured(examples.test, "test loss")).loss } };
            },
          }
        : {}),
      metric,
      save,
      files: safetensorsFiles,
      reporter,
      signal,
    });
    return await outcome.conclude(async () => {
      const { weights, folder: baseFolder, weightPrefixes } = decoder;
      const base = { weights, folder: baseFolder, weightPrefixes };
      const run = { settings, metric, base, trained: model.trained, adapters, outcome, steps, evaluate };
      const { folder, isOnDisk, choice } = await chooseResult(run);
      if (!isOnDisk) await save(folder);
      await promoteCheckpoint(folder, output);
      await writeChoice(output, choice, metric.name);
      const kept: Pick<Candidate, "step" | "alpha"> & { figures?: Figures } = choice?.kept ?? {
        step: outcome.bestStep,
        figures: outcome.bestFigures,
      };
      const losses = [
        { split: "eval", model: "base", loss: outcome.baseFigures?.eval_loss },
        ...(choice?.candidates ?? []).map((one) => ({
          split: "eval",
          model: candidateName(one),
          loss: one.figures.eval_loss,
        })),
      ];
      if (examples.test) {
        const before = outcome.baseTest?.loss;
        const after =
          kept.step === 0 && before !== undefined ? before : (await measured(examples.test, "test loss")).loss;
        await writeJsonAtomic(testPath, {
          base: { loss: before ?? null },
          best: { loss: after, ...candidatePlace(kept) },
          questions: examples.test.length,
        });
        losses.push(
          { split: "test", model: "base", loss: before },
          { split: "test", model: candidateName(kept), loss: after },
        );
      } else await rm(testPath, { force: true }); // of an earlier run
      return {
        outputs: [output],
        figures: { ...kept.figures },
        summary: [
          formatTable(losses, ["split", "model", { key: "loss", digits: 4 }]),
          ...(choice ? [choice.verdict] : []),
        ].join("\n"),
      };
    });
  } finally {
    await model.close();
    await adapters?.close();
  }
}
