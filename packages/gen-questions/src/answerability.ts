import { documentId, UserError } from "@rag-ft/core";
import {
  answerabilityMessages,
  askedText,
  type ChatMessage,
  type CompletionOptions,
  type DomainConfig,
  type FailureLog,
  isLocalName,
  type ReplySchema,
  type StoredModel,
} from "@rag-ft/llm";
import type { PassageRow } from "./choose-passages.js";
import type { ForeignPassages } from "./foreign-passages.js";
import type { GenQuestionsSettings } from "./settings.js";

const VERDICT_SCHEMA: ReplySchema = {
  name: "answerable",
  schema: {
    type: "object",
    properties: { answerable: { type: "string", enum: ["yes", "no"] } },
    required: ["answerable"],
    additionalProperties: false,
  },
};

type JudgeSettings = Pick<
  GenQuestionsSettings,
  "prompt_model" | "max_new_tokens" | "request_timeout" | "seed" | "structured_outputs"
>;

/** What a question is asked of, in its dialogue. */
type JudgedRow = Pick<PassageRow, "gold_docs" | "chat_history">;

/** How the judge is asked whether the passages answer a question: at temperature 0. */
export function answerabilityRequest(
  domain: DomainConfig,
  settings: JudgeSettings,
  { gold_docs, chat_history }: JudgedRow,
  question: string,
  language?: string,
): { messages: ChatMessage[]; options: CompletionOptions } {
  const structured = settings.structured_outputs === "auto" && !isLocalName(settings.prompt_model);
  return {
    messages: answerabilityMessages(domain, { fmt_content: askedText(gold_docs) }, question, language, chat_history),
    options: {
      temperature: 0,
      max_new_tokens: settings.max_new_tokens,
      timeout_ms: settings.request_timeout * 1000,
      seed: settings.seed,
      ...(structured ? { schema: VERDICT_SCHEMA } : {}),
    },
  };
}

/** The verdict of a reply, be it JSON or a word; undefined when there is none. */
export function answerableOf(reply: string): boolean | undefined {
  const verdict = /^\W*(?:answerable\W+)?(yes|no)\b/i.exec(reply.trim().replace(/^```(?:json)?/i, ""))?.[1];
  return verdict === undefined ? undefined : verdict.toLowerCase() === "yes";
}

/** The questions that the judge finds answered by the passage. One without a verdict is left out, and counted as a failure. */
export async function keepAnswerable(
  row: JudgedRow,
  questions: readonly string[],
  ask: {
    model: StoredModel;
    domain: DomainConfig;
    settings: JudgeSettings;
    foreign: ForeignPassages;
    failures: FailureLog;
    signal: AbortSignal;
  },
): Promise<string[]> {
  const kept: string[] = [];
  // One after the other: the passages are worked on side by side already. `parseQuestions` gives no question twice.
  for (const question of questions) if (await judge(row, question, ask)) kept.push(question);
  return kept;
}

async function judge(
  row: JudgedRow,
  question: string,
  { model, domain, settings, foreign, failures, signal }: Parameters<typeof keepAnswerable>[2],
): Promise<boolean> {
  const [passage] = row.gold_docs;
  const language = passage && foreign.of(passage);
  const { messages, options } = answerabilityRequest(domain, settings, row, question, language);
  const subject = { passage: passage && documentId(passage), question, part: "answerability" };
  try {
    const { text } = await model.complete(messages, { ...options, signal });
    const verdict = answerableOf(text);
    if (verdict === undefined) failures.unusable("judge's reply without yes or no", "unusable", subject);
    else failures.succeeded();
    return verdict ?? false;
  } catch (error) {
    failures.failed(error, subject);
    return false;
  }
}

/** @throws UserError when there is no model that could judge. */
export function requireJudge(extractive: boolean, { filters }: Pick<GenQuestionsSettings, "filters">): void {
  if (extractive && filters.includes("answerable"))
    throw new UserError(
      '--filters answerable asks a model, and --prompt_model is "extractive": name a model, or leave that filter out.',
    );
}
