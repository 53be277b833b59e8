import {
  buildAnswer,
  buildPrompt,
  createRandom,
  type Document,
  documentKey,
  type NumberedQaRow,
  type PromptFormat,
  promptMessages,
  type Reporter,
  renumberCitations,
  stripCitations,
  type TemplatePrompt,
  UserError,
} from "@rag-ft/core";
import { spokenTurns, withoutThinking } from "@rag-ft/llm";
import type { AnswerExample, ChatFormat, Tokenizer } from "@rag-ft/models";
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

/** How prompts and answers are written: in parts, or by the model's template. */
export type ExampleFormat = { format: PromptFormat; chat?: undefined } | { format: TemplatePrompt; chat: ChatFormat };

export type ExampleSettings = ExampleFormat & {
  tokenizer: Tokenizer;
  /** Tokens of prompt and answer together. */
  maxTokens: number;
  maxRetrieved: number;
  seed: number;
};

/** A row's answer to a prompt with these passages. */
type AnswerFrom = (passages: readonly Document[]) => string;

/**
 * A row's answer without a model's thoughts. Where its citations are numbers of the row's gold passages, they become the passages' places in the
 * prompt, and go where prompts are not numbered.
 */
function answerOf(row: NumberedQaRow, { citations }: Pick<PromptFormat, "citations">): AnswerFrom {
  const gold = withoutThinking(row.gold_answer).text;
  if (row.citations !== true) return () => gold;
  if (!citations) return () => stripCitations(gold);
  return (passages) => {
    const places = new Map(passages.map((passage, i) => [documentKey(passage), i + 1]));
    return renumberCitations(gold, (number) => {
      const cited = row.gold_docs[number - 1];
      return cited && places.get(documentKey(cited));
    });
  };
}

/** Prompt and answer in a format of parts: tokenised apart, as they are in use, where the answer is what the model adds. */
function partsTokens(
  format: PromptFormat,
  { encode, asText }: Tokenizer,
  row: NumberedQaRow,
  answerFrom: AnswerFrom,
): (passages: readonly Document[]) => AnswerExample {
  return (passages) => ({
    prompt: encode(buildPrompt(format, passages, row.question, row.chat_history, asText)),
    answer: encode(buildAnswer(format, answerFrom(passages), asText), { special: false }),
  });
}

/** The same by a chat template; apart only where the whole dialogue's tokens do not begin with the prompt's. */
function templateTokens(
  format: TemplatePrompt,
  chat: ChatFormat,
  { encode }: Tokenizer,
  row: NumberedQaRow,
  answerFrom: AnswerFrom,
): (passages: readonly Document[]) => AnswerExample {
  const thinking = format.enable_thinking;
  const turns = spokenTurns(row.chat_history);
  return (passages) => {
    const messages = promptMessages(format, passages, row.question, turns);
    const texts = chat.example(messages, answerFrom(passages), { thinking });
    const prompt = encode(texts.prompt, { special: false });
    const whole = encode(texts.prompt + texts.answer, { special: false });
    const goesOn = prompt.every((id, at) => whole[at] === id);
    return { prompt, answer: goesOn ? whole.slice(prompt.length) : encode(texts.answer, { special: false }) };
  };
}

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
    const answerFrom = answerOf(row, settings.format);
    const tokensOf = settings.chat
      ? templateTokens(settings.format, settings.chat, tokenizer, row, answerFrom)
      : partsTokens(settings.format, tokenizer, row, answerFrom);
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
