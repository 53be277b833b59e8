import {
  type Document,
  type NumberedQaRow,
  type Reporter,
  readDocuments,
  readQa,
  type StageContext,
  UserError,
} from "@rag-ft/core";
import { NO_ANSWER_TEXT, noAnswerText, openVectorTally, type RequestTally } from "@rag-ft/llm";
import { type LoadedDecoder, type OpenedPrompt, openPrompt } from "@rag-ft/models";
import { checkReranking, checkRetrieval } from "@rag-ft/retrieval";
import { createExamples, type ExampleInputs } from "./create-examples.js";
import { readNotInPassage } from "./no-answer-rows.js";
import type { Splits } from "./retrieve-passages.js";
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

/** Everything but the model. */
export interface GeneratorInputs {
  documents: Document[];
  rows: Splits<NumberedQaRow[]>;
  apart: Awaited<ReturnType<typeof readNotInPassage>>;
}

/** @throws UserError for settings that do not go together, and for files that are not there. */
export async function readInputs(
  settings: TrainGeneratorSettings,
  { reporter }: StageContext,
): Promise<GeneratorInputs> {
  checkRetrieval(settings);
  checkReranking(settings);
  const documents = await readDocuments(settings.full_dataset_file_path);
  const rows: Splits<NumberedQaRow[]> = {
    train: await readQa(settings.train_file, reporter),
    eval: await readQa(settings.eval_file, reporter),
    test: settings.test_file ? await readQa(settings.test_file, reporter) : undefined,
  };
  const apart = settings.no_answer_share > 0 ? await readNotInPassage(settings, reporter) : undefined;
  return { documents, rows, apart };
}

/** How the model is asked in training, as settings, data and its own folder say. */
export async function askedAs(
  settings: TrainGeneratorSettings,
  { folder, tokenizer }: Pick<LoadedDecoder, "folder" | "tokenizer">,
  { rows }: GeneratorInputs,
  reporter: Reporter,
): Promise<OpenedPrompt> {
  const flags = { ...settings, no_answer_text: await noAnswerText(settings) };
  const citations = citing(settings, rows.train);
  const opened = withCitations(await openPrompt(folder, tokenizer, flags, reporter), citations);
  const asked = settings.no_answer_share > 0 ? withRefusal(opened) : opened;
  checkStop(asked);
  return asked;
}

/** The examples of all splits, passages retrieved; what vectors cost is said. */
export async function openExamples(
  inputs: ExampleInputs,
  context: StageContext,
): Promise<Awaited<ReturnType<typeof createExamples>> & { tally: RequestTally | undefined }> {
  const { settings } = inputs;
  const models = settings.retrieval === "bm25" ? [] : [settings.embedding_model];
  const tally = await openVectorTally("train-generator", models, settings);
  const made = await createExamples(inputs, context, tally);
  for (const line of tally?.lines() ?? []) context.reporter.info(line);
  return { ...made, tally };
}
