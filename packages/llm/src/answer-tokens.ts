// A question with its answer in tokens, as a generator is trained on it: what learns from answers, and what measures how likely one is, read the same.
import {
  buildAnswer,
  buildPrompt,
  type Document,
  documentKey,
  type PromptFormat,
  promptMessages,
  type QaRow,
  renumberCitations,
  stripCitations,
  type TemplatePrompt,
} from "@rag-ft/core";
import type { AnswerExample, ChatFormat, Tokenizer } from "@rag-ft/models";
import { spokenTurns } from "./replies/spoken-turns.js";
import { withoutThinking } from "./replies/without-thinking.js";

/** How prompts and answers are written: in parts, or by the model's template. */
export type ExampleFormat = { format: PromptFormat; chat?: undefined } | { format: TemplatePrompt; chat: ChatFormat };

/** Prompt and answer in tokens, given the passages in the prompt. */
export type TokensOf = (passages: readonly Document[]) => AnswerExample;

/** A row's answer to a prompt with these passages. */
type AnswerFrom = (passages: readonly Document[]) => string;

/**
 * A row's answer without a model's thoughts. Where its citations are numbers of the row's gold passages, they become the passages' places in the
 * prompt, and go where prompts are not numbered.
 */
function answerOf(row: QaRow, { citations }: Pick<PromptFormat, "citations">): AnswerFrom {
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
  row: QaRow,
  answerFrom: AnswerFrom,
): TokensOf {
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
  row: QaRow,
  answerFrom: AnswerFrom,
): TokensOf {
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

/** The tokens of a question and its gold answer. A model's thoughts in the answer are left out. */
export function answerTokens(row: QaRow, how: ExampleFormat, tokenizer: Tokenizer): TokensOf {
  const answerFrom = answerOf(row, how.format);
  return how.chat
    ? templateTokens(how.format, how.chat, tokenizer, row, answerFrom)
    : partsTokens(how.format, tokenizer, row, answerFrom);
}
