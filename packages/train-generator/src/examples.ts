import { createRandom, type Reporter, UserError } from "@rag-ft/core";
import { answerTokens, type ExampleFormat } from "@rag-ft/llm";
import type { AnswerExample, Tokenizer } from "@rag-ft/models";
import { contextPassages, fitContext } from "./context.js";
import type { RowInContext } from "./no-answer-rows.js";

/** An example that knows where it comes from. */
export interface QuestionExample extends AnswerExample {
  question: string;
  /** Its line in the file. */
  line: number;
  /** The file, where it is another than the split's. */
  file?: string;
}

export type ExampleSettings = ExampleFormat & {
  tokenizer: Tokenizer;
  /** Tokens of prompt and answer together. */
  maxTokens: number;
  maxRetrieved: number;
  seed: number;
};

/**
 * Tokens of each question's prompt and answer. A model's thoughts in a gold answer are left out: what is learned is the answer.
 *
 * @throws UserError when no example fits `maxTokens`.
 */
export function makeExamples(
  rows: readonly RowInContext[],
  settings: ExampleSettings,
  what: string,
  reporter: Reporter,
): QuestionExample[] {
  const { tokenizer, maxTokens, maxRetrieved } = settings;
  const random = createRandom(settings.seed);
  const examples: QuestionExample[] = [];
  let dropped = 0;
  let leftOut = 0;
  for (const { row, retrieved, file } of rows) {
    const tokensOf = answerTokens(row, settings, tokenizer);
    let tokens: AnswerExample = { prompt: [], answer: [] };
    const fitted = fitContext(contextPassages(row.gold_docs, retrieved, maxRetrieved), random, (passages) => {
      tokens = tokensOf(passages);
      return tokens.prompt.length + tokens.answer.length <= maxTokens;
    });
    if (!fitted) {
      leftOut++;
      continue;
    }
    dropped += fitted.dropped;
    examples.push({ ...tokens, question: row.question, line: row.line, ...(file === undefined ? {} : { file }) });
  }
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
