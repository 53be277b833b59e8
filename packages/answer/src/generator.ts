import {
  type AnyPrompt,
  buildPrompt,
  type ChatTurn,
  type Document,
  type PromptFormat,
  promptMessages,
  type TextForm,
} from "@rag-ft/core";
import {
  type ChatMessage,
  type Completion,
  type CompletionOptions,
  type LanguageModel,
  spokenTurns,
} from "@rag-ft/llm";
import { fitParts, type PromptParts } from "./fit-parts.js";

/** A question with what was retrieved for it, best first. */
export interface AnswerRequest {
  question: string;
  history: readonly ChatTurn[];
  passages: readonly Document[];
}

/** Of one answer that somebody reads while it is made; what is left out is as the generator was opened. */
export type LiveOptions = Partial<
  Pick<CompletionOptions, "onText" | "signal" | "max_new_tokens" | "temperature" | "stop">
>;

/** A request as a model takes it. */
export interface PreparedRequest {
  /** What is sent: a raw prompt (one user message) or a dialogue. */
  messages: ChatMessage[];
  options: CompletionOptions;
  /** Passages that had to go because the prompt was too long. */
  dropped: number;
  /** Turns of the dialogue, its oldest, that had to go because the prompt was too long without a second passage. */
  droppedTurns: number;
  send(live?: LiveOptions): Promise<Completion>;
}

/** Answers questions from passages. */
export interface Generator {
  /** Part of the store's key: another model, or other weights in the same folder, never answer from old completions. */
  identity: string;
  provider: LanguageModel["provider"];
  /** Requests at once that suit the model, where it says. */
  concurrency?: number;
  prepare(request: AnswerRequest): PreparedRequest;
  /** The question of a dialogue as one that stands alone, for the search; empty where the model says none. Of chat models only. */
  rewrite?(request: Pick<AnswerRequest, "question" | "history">, signal?: AbortSignal): Promise<Completion>;
  close(): Promise<void>;
}

/** Counts a prompt's tokens, and the most that prompt and answer may have together. */
export interface TokenBudget<P = string> {
  /** Exact up to `max_tokens`; of a longer prompt any number above that. */
  count(prompt: P): number;
  max_tokens: number;
}

/** Greedy, so that a test can be repeated. */
export type AnswerOptions = Omit<CompletionOptions, "temperature" | "stop">;

function stopsOf(format: PromptFormat): string[] {
  // `<|im_end|>\n`: a model may end its turn without the line break.
  return [...new Set([format.sep_sys, format.sep_sys.trim()])].filter((stop) => stop !== "");
}

/** The passages and turns whose prompt leaves room for the answer. */
function withinBudget<P>(
  parts: PromptParts,
  { count, max_tokens }: TokenBudget<P>,
  answer: AnswerOptions,
  promptOf: (parts: PromptParts) => P,
): PromptParts {
  // Half of a short context at least is left to the prompt.
  const limit = max_tokens - Math.min(answer.max_new_tokens, Math.floor(max_tokens / 2));
  return fitParts(parts, (some) => count(promptOf(some)) <= limit);
}

/** A decoder in this process: the raw prompt that it was trained on, cut to its context. */
export function promptGenerator(
  model: LanguageModel,
  identity: string,
  format: PromptFormat,
  budget: TokenBudget,
  answer: AnswerOptions,
  asText?: TextForm,
): Generator {
  const options: CompletionOptions = { ...answer, temperature: 0, stop: stopsOf(format) };
  return {
    identity,
    provider: model.provider,
    ...(model.concurrency === undefined ? {} : { concurrency: model.concurrency }),
    prepare({ question, history, passages }) {
      const promptOf = (parts: PromptParts): string =>
        buildPrompt(format, parts.passages, question, parts.history, asText);
      const kept = withinBudget({ passages, history }, budget, answer, promptOf);
      const prompt = promptOf(kept);
      const messages: ChatMessage[] = [{ role: "user", content: prompt }];
      return {
        messages,
        options,
        dropped: passages.length - kept.passages.length,
        droppedTurns: history.length - kept.history.length,
        send: (live) => {
          const request = { ...options, ...live, stop: [...(options.stop ?? []), ...(live?.stop ?? [])] };
          return model.generate?.(prompt, request) ?? model.complete(messages, request);
        },
      };
    },
    close: () => model.close(),
  };
}

/** What a question that goes on from a dialogue is rewritten by. */
const REWRITING =
  "You prepare questions for a search in documentation. You are given a dialogue and the user's next question. Write that question so that somebody who has not read " +
  "the dialogue understands it: put in what its pronouns and omissions refer to, keep its language and its wording otherwise. If it stands alone already, repeat it. " +
  "Do not answer it. Reply with the question alone.";

/** Tokens of a question. */
const MOST_OF_A_QUESTION = 128;

/** A chat model: instruction and passages as the system's message, then the dialogue; in this process cut to its context. */
export function chatGenerator(
  model: LanguageModel,
  identity: string,
  asked: Pick<AnyPrompt, "system_text" | "citations">,
  answer: AnswerOptions,
  budget?: TokenBudget<ChatMessage[]>,
): Generator {
  const options: CompletionOptions = { ...answer, temperature: 0 };
  return {
    identity,
    provider: model.provider,
    ...(model.concurrency === undefined ? {} : { concurrency: model.concurrency }),
    prepare({ question, history, passages }) {
      const turns = spokenTurns(history);
      const promptOf = (parts: PromptParts): ChatMessage[] =>
        promptMessages(asked, parts.passages, question, parts.history);
      const all = { passages, history: turns };
      const kept = budget ? withinBudget(all, budget, answer, promptOf) : all;
      const messages = promptOf(kept);
      return {
        messages,
        options,
        dropped: passages.length - kept.passages.length,
        droppedTurns: turns.length - kept.history.length,
        send: (live) => model.complete(messages, { ...options, ...live }),
      };
    },
    rewrite({ question, history }, signal) {
      const dialogue = spokenTurns(history).map(({ speaker, message }) => `${speaker}: ${message}`);
      const messages: ChatMessage[] = [
        { role: "system", content: REWRITING },
        { role: "user", content: `Dialogue:\n${dialogue.join("\n")}\n\nNext question: ${question}` },
      ];
      return model.complete(messages, {
        ...options,
        max_new_tokens: MOST_OF_A_QUESTION,
        ...(signal ? { signal } : {}),
      });
    },
    close: () => model.close(),
  };
}
