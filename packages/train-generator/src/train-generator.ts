import {
  instructionOf,
  type NumberedQaRow,
  readDocuments,
  readQa,
  type StageContext,
  type StageResult,
  sourceOf,
  splitProcedureOf,
  throwIfCancelled,
  UserError,
} from "@rag-ft/core";
import { type FineTuneTask, fineTune, freezeSettings, type OpenedTask } from "@rag-ft/fine-tune";
import { NO_ANSWER_TEXT, noAnswerText, openVectorTally } from "@rag-ft/llm";
import {
  createTrainableDecoder,
  decoderAdapters,
  frozenDecoderPart,
  type HalfType,
  loadDecoder,
  type OpenedPrompt,
  openPrompt,
  saveDecoder,
  type TrainableDecoder,
} from "@rag-ft/models";
import { checkReranking, checkRetrieval } from "@rag-ft/retrieval";
import { describeExamples, ShuffledBatches, type StepResult, totalSteps } from "@rag-ft/train";
import { generatorCard } from "./card.js";
import { createExamples } from "./create-examples.js";
import type { QuestionExample } from "./examples.js";
import { identityOf } from "./identity.js";
import { answerBatches, answerLosses, type Losses } from "./loss.js";
import { readNotInPassage } from "./no-answer-rows.js";
import type { Splits } from "./retrieve-passages.js";
import { savePrompt } from "./save-prompt.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** The stop text must be something that the model can say as it is and generation can look for. */
function checkStop({ prompt, chat }: OpenedPrompt): void {
  if (!chat && prompt.sep_sys === "") {
    throw new UserError(
      "sep_sys is empty: the generator would never learn to stop. Give the stop token, such as </s> or <|im_end|>.",
    );
  }
}

/**
 * Whether the answers that are learned have citations.
 *
 * @throws UserError when citations are to be learned from answers that have none.
 */
function citing(
  { citations, train_file }: Pick<TrainGeneratorSettings, "citations" | "train_file">,
  rows: readonly NumberedQaRow[],
): boolean {
  const cited = rows.some((row) => row.citations === true);
  if (citations === true && !cited) {
    throw new UserError(
      `citations: no answer of ${train_file} has citations. Make answers with gen-answers --citations true, or leave the flag out.`,
    );
  }
  return cited;
}

/** Where nothing else says it, prompts are numbered when there is something to learn from it. */
function withCitations(asked: OpenedPrompt, cited: boolean): OpenedPrompt {
  if (!cited || asked.prompt.citations !== undefined) return asked;
  return asked.chat
    ? { ...asked, prompt: { ...asked.prompt, citations: true } }
    : { ...asked, prompt: { ...asked.prompt, citations: true } };
}

/** Saved with the model: what it says where its passages hold no answer. */
function withRefusal(asked: OpenedPrompt): OpenedPrompt {
  const no_answer_text = asked.prompt.no_answer_text ?? NO_ANSWER_TEXT;
  return asked.chat
    ? { ...asked, prompt: { ...asked.prompt, no_answer_text } }
    : { ...asked, prompt: { ...asked.prompt, no_answer_text } };
}

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
    const work = answerBatches(batch, model.decoder.tokenizer.padId);
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

/** Fine-tunes a decoder on answers, with passages of a fixed retriever in the prompt; keeps the checkpoint with the lowest loss. */
export function runTrainGenerator(settings: TrainGeneratorSettings, context: StageContext): Promise<StageResult> {
  return fineTune(settings, context, (held) => openTask(settings, held));
}

async function openTask(settings: TrainGeneratorSettings, context: StageContext): Promise<OpenedTask> {
  const { reporter, signal, env } = context;
  checkRetrieval(settings);
  checkReranking(settings);
  const documents = await readDocuments(settings.full_dataset_file_path);
  const rows: Splits<NumberedQaRow[]> = {
    train: await readQa(settings.train_file, reporter),
    eval: await readQa(settings.eval_file, reporter),
    test: settings.test_file ? await readQa(settings.test_file, reporter) : undefined,
  };
  const matrices = matrixType(settings);
  const no_answer_text = await noAnswerText(settings);
  const apart = settings.no_answer_share > 0 ? await readNotInPassage(settings, reporter) : undefined;
  const decoder = await loadDecoder(settings.model_name_or_path, { env, reporter, signal, matrices });
  const frozen = frozenDecoderPart(decoder, settings.freeze_layers);
  const citations = citing(settings, rows.train);
  const flags = { ...settings, no_answer_text };
  const opened = withCitations(await openPrompt(decoder.folder, decoder.tokenizer, flags, reporter), citations);
  const asked = settings.no_answer_share > 0 ? withRefusal(opened) : opened;
  checkStop(asked);
  return {
    modelName: settings.model_name_or_path,
    base: decoder,
    adapterTask: "CAUSAL_LM",
    adapters: (lora, session) => decoderAdapters(decoder, lora, session, frozen),
    async prepare(session, adapters) {
      const models = settings.retrieval === "bm25" ? [] : [settings.embedding_model];
      const tally = await openVectorTally("train-generator", models, settings);
      const inputs = { settings, decoder, asked, documents, rows, apart };
      const { examples, noAnswer } = await createExamples(inputs, context, tally);
      for (const line of tally?.lines() ?? []) reporter.info(line);
      const steps = settings.do_train ? totalSteps(settings, examples.train.length) : 0;
      const size = settings.per_device_train_batch_size * settings.gradient_accumulation_steps;
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
