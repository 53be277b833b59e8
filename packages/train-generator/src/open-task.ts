import {
  instructionOf,
  type NumberedQaRow,
  type StageContext,
  sourceOf,
  splitProcedureOf,
  throwIfCancelled,
  UserError,
} from "@rag-ft/core";
import { type FineTuneTask, freezeSettings, type OpenedTask } from "@rag-ft/fine-tune";
import {
  createTrainableDecoder,
  decoderAdapters,
  frozenDecoderPart,
  type HalfType,
  loadDecoder,
  type OpenedPrompt,
  saveDecoder,
  type TrainableDecoder,
} from "@rag-ft/models";
import { describeExamples, ShuffledBatches, type StepResult, totalSteps } from "@rag-ft/train";
import { generatorCard } from "./card.js";
import type { QuestionExample } from "./examples.js";
import { identityOf } from "./identity.js";
import { askedAs, type GeneratorInputs, openExamples, readInputs } from "./inputs.js";
import { answerBatches, answerLosses, type Losses } from "./loss.js";
import type { Splits } from "./retrieve-passages.js";
import { savePrompt } from "./save-prompt.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** @throws UserError when weights that are trained would be in 16 bits. */
function matrixType({ base_dtype, lora_r }: TrainGeneratorSettings): HalfType | undefined {
  if (base_dtype === "fp32") return undefined;
  if (lora_r === 0) {
    throw new UserError(
      `base_dtype is ${base_dtype}, but lora_r is 0: all weights are trained, in fp32. Give lora_r, such as 8, or leave base_dtype out.`,
    );
  }
  return base_dtype === "fp16" ? "F16" : "BF16";
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
    const work = answerBatches(batch, model.decoder.tokenizer.padId, model.device);
    let loss = 0;
    for (const part of work.batches) {
      throwIfCancelled(signal);
      loss += await model.backward(part);
    }
    const describe = (): string =>
      describeExamples(
        batch.map(({ question, line, file = settings.train_file }) => ({ text: question, id: `${file}:${line}` })),
      );
    return { loss, examples: batch.length, tokens: work.tokens, describe };
  };
}

/** What was read and made already, of a training elsewhere that is now measured here. */
export interface KnownExamples {
  inputs: GeneratorInputs;
  asked: OpenedPrompt;
  made: Awaited<ReturnType<typeof openExamples>>;
}

/** The stage's inputs and its model, for a training in this process or to measure one elsewhere. */
export async function openTask(
  settings: TrainGeneratorSettings,
  context: StageContext,
  known?: KnownExamples,
): Promise<OpenedTask> {
  const { reporter, signal, env } = context;
  const inputs = known?.inputs ?? (await readInputs(settings, context));
  const { documents, rows } = inputs;
  const matrices = matrixType(settings);
  const decoder = await loadDecoder(settings.model_name_or_path, { env, reporter, signal, matrices });
  const frozen = frozenDecoderPart(decoder, settings.freeze_layers);
  const asked = known?.asked ?? (await askedAs(settings, decoder, inputs, reporter));
  return {
    modelName: settings.model_name_or_path,
    base: decoder,
    adapterTask: "CAUSAL_LM",
    adapters: (lora, session) => decoderAdapters(decoder, lora, session, frozen),
    async prepare(session, adapters) {
      const { examples, noAnswer, tally } =
        known?.made ?? (await openExamples({ settings, decoder, asked, ...inputs }, context));
      const steps = settings.do_train ? totalSteps(settings, examples.train.length) : 0;
      const size = settings.per_device_train_batch_size * settings.gradient_accumulation_steps;
      if (!known)
        reporter.info(`${settings.model_name_or_path}: ${examples.train.length} questions, ${steps} steps of ${size}`);
      const identity = await identityOf(settings, decoder, asked.prompt, examples);
      const freeze = freezeSettings(settings, reporter);
      const model = await createTrainableDecoder(decoder, { ...session, freeze }, adapters);
      const splitBy = splitProcedureOf([...rows.train, ...rows.eval, ...(rows.test ?? [])]);
      const record = tally ? { record: { requests: tally.counts } } : {};
      const task = answerTask(settings, model, asked, examples, rows.eval, context);
      const { train, eval: evaluated, test } = examples;
      const counts = {
        ...{ train: train.length, noAnswer, eval: evaluated.length, test: test?.length, passages: documents.length },
      };
      const card = generatorCard(settings, instructionOf(asked.prompt), counts);
      return { identity, steps, splitBy, card, ...record, ...task };
    },
  };
}

/** Training by the loss of answers' tokens, which is also what is measured. */
function answerTask(
  settings: TrainGeneratorSettings,
  model: TrainableDecoder,
  asked: OpenedPrompt,
  examples: Splits<QuestionExample[]>,
  evalRows: readonly NumberedQaRow[],
  { reporter, signal }: StageContext,
): Omit<FineTuneTask, "identity" | "steps"> {
  const measured = async (split: QuestionExample[], label: string): Promise<Losses> => {
    const progress = reporter.start(label, split.length);
    try {
      return await answerLosses(model, split, { signal, onProgress: (done) => progress.update(done) });
    } finally {
      progress.stop();
    }
  };
  const { test } = examples;
  const sources = new Map(evalRows.map((row) => [row.line, sourceOf(row)]));
  return {
    model,
    runStep: createStep(settings, model, examples.train, signal),
    metric: { name: "eval_loss", greaterIsBetter: false },
    async evaluate() {
      const { loss, values } = await measured(examples.eval, "eval loss");
      return { figures: { eval_loss: loss }, values };
    },
    sources: examples.eval.map(({ line }) => sources.get(line) ?? ""),
    test: test && {
      measure: async () => ({ figures: { loss: (await measured(test, "test loss")).loss } }),
      unmeasured: { loss: null },
      about: { questions: test.length },
    },
    table: {
      columns: () => [{ key: "loss", digits: 4 }],
      cells: ({ eval_loss, loss = eval_loss }) => ({ loss }),
    },
    save: (folder, extra) =>
      saveDecoder(
        folder,
        model.decoder,
        async (temporary) => {
          await savePrompt(temporary, asked, model.decoder.tokenizer, reporter);
          await extra(temporary);
        },
        { onnx: settings.save_onnx },
      ),
    close: model.close,
  };
}
