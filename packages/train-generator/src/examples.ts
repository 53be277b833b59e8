import {
  buildAnswer,
  buildPrompt,
  createRandom,
  type Document,
  type NumberedQaRow,
  type PromptFormat,
  type Reporter,
  UserError,
} from "@rag-ft/core";
import type { AnswerExample, Tokenizer } from "@rag-ft/models";
import { contextPassages, fitContext } from "./context.js";

/** An example that knows where it comes from. */
export interface QuestionExample extends AnswerExample {
  question: string;
  /** Its line in the file. */
  line: number;
}

export interface ExampleSettings {
  format: PromptFormat;
  tokenizer: Tokenizer;
  /** Tokens of prompt and answer together. */
  maxTokens: number;
  maxRetrieved: number;
  seed: number;
}

/**
 * Tokens of each question's prompt and answer. Prompt and answer are tokenised apart, as they are in use, where the answer is
 * what the model adds to the prompt's tokens.
 *
 * @throws UserError when no example fits `maxTokens`.
 */
export function makeExamples(
  rows: readonly NumberedQaRow[],
  retrieved: readonly (readonly Document[])[],
  settings: ExampleSettings,
  what: string,
  reporter: Reporter,
): QuestionExample[] {
  const { format, tokenizer, maxTokens, maxRetrieved } = settings;
  const random = createRandom(settings.seed);
  const examples: QuestionExample[] = [];
  let dropped = 0;
  let leftOut = 0;
  rows.forEach((row, i) => {
    const answer = tokenizer.encode(buildAnswer(format, row.gold_answer), { special: false });
    let prompt: number[] = [];
    const fitted = fitContext(contextPassages(row.gold_docs, retrieved[i] ?? [], maxRetrieved), random, (passages) => {
      prompt = tokenizer.encode(buildPrompt(format, passages, row.question, row.chat_history));
      return prompt.length + answer.length <= maxTokens;
    });
    if (!fitted) {
      leftOut++;
      return;
    }
    dropped += fitted.dropped;
    examples.push({ prompt, answer, question: row.question, line: row.line });
  });
  if (dropped > 0)
    reporter.info(`${what}: ${dropped} retrieved passages left out, so that prompts fit ${maxTokens} tokens`);
  if (examples.length === 0) {
    throw new UserError(
      `${what}: no question fits ${maxTokens} tokens with its gold passage and answer. Raise max_seq_length.`,
    );
  }
  if (leftOut > 0) {
    reporter.warn(
      `${what}: ${leftOut} of ${rows.length} questions left out: gold passage and answer alone exceed ${maxTokens} tokens`,
    );
  }
  return examples;
}
