import type { Document, NumberedQaRow, StageContext } from "@rag-ft/core";
import { NO_ANSWER_TEXT, type RequestTally } from "@rag-ft/llm";
import type { LoadedDecoder, OpenedPrompt } from "@rag-ft/models";
import { makeExamples, type QuestionExample } from "./examples.js";
import { noAnswerRows, type RowInContext, type readNotInPassage } from "./no-answer-rows.js";
import { passagesOfPrompt, retrievePassages, type Splits } from "./retrieve-passages.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** What examples are made of. */
export interface ExampleInputs {
  settings: TrainGeneratorSettings;
  decoder: Pick<LoadedDecoder, "graph" | "tokenizer">;
  asked: OpenedPrompt;
  documents: readonly Document[];
  rows: Splits<NumberedQaRow[]>;
  /** Questions that gen-answers set apart. */
  apart: Awaited<ReturnType<typeof readNotInPassage>>;
}

/**
 * Tokens of all splits' prompts and answers, with the passages that are retrieved for them; the rows trained on and those that choose the checkpoint
 * with their share of questions that their passages do not answer. `noAnswer`: how many of these are trained on.
 */
export async function createExamples(
  { settings, decoder, asked, documents, rows, apart }: ExampleInputs,
  context: StageContext,
  tally: RequestTally | undefined,
): Promise<{ examples: Splits<QuestionExample[]>; noAnswer: number }> {
  const { reporter } = context;
  const { no_answer_share: share, seed } = settings;
  const { no_answer_text: text = NO_ANSWER_TEXT } = asked.prompt;
  const found = await retrievePassages(settings, documents, rows, context, tally);
  const passages = passagesOfPrompt(settings);
  const how = {
    ...(asked.chat ? { format: asked.prompt, chat: asked.chat } : { format: asked.prompt }),
    tokenizer: decoder.tokenizer,
    maxTokens: Math.min(settings.max_seq_length, decoder.graph.maxTokens),
    maxRetrieved: settings.embedding_max_num_to_retrieve,
    seed,
  };
  const inContext = (
    split: readonly NumberedQaRow[],
    retrieved: readonly Document[][],
    depth: number,
  ): RowInContext[] => split.map((row, i) => ({ row, retrieved: (retrieved[i] ?? []).slice(0, depth) }));
  const withRefusals = (
    split: readonly NumberedQaRow[],
    retrieved: Document[][],
    file: string,
    more?: typeof apart,
  ) => {
    const asUsual = inContext(split, retrieved, passages);
    if (share === 0) return asUsual;
    const deep = inContext(split, retrieved, Number.POSITIVE_INFINITY);
    const added = noAnswerRows(deep, more, { share, passages, text, seed });
    const number = added.rows.length;
    reporter.info(
      `${file}: ${number} rows added whose passages hold no answer: ${number - added.apart} without their gold passage` +
        `${added.apart > 0 ? `, ${added.apart} of ${more?.file}` : ""}; their answer is ${JSON.stringify(text)}`,
    );
    if (number < added.wanted)
      reporter.warn(
        `${file}: no_answer_share ${share} asks for ${added.wanted} such rows; no more can be made of its ${split.length} questions and what was retrieved for them.`,
      );
    return [...asUsual, ...added.rows];
  };
  const train = withRefusals(rows.train, found.train, settings.train_file, apart);
  const evaluated = withRefusals(rows.eval, found.eval, settings.eval_file);
  const test = rows.test && inContext(rows.test, found.test ?? [], passages);
  return {
    examples: {
      train: makeExamples(train, how, settings.train_file, reporter),
      eval: makeExamples(evaluated, how, settings.eval_file, reporter),
      test: test && makeExamples(test, how, settings.test_file ?? "", reporter),
    },
    noAnswer: train.length - rows.train.length,
  };
}
