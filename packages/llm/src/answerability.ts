import type { ChatTurn, Document } from "@rag-ft/core";
import type { DomainConfig } from "./domain-config.js";
import type { ChatMessage, CompletionOptions, ReplySchema } from "./language-model.js";
import { isLocalName } from "./open-language-model.js";
import { answerabilityMessages } from "./prompts.js";
import { askedText } from "./question-kinds.js";
import type { RequestSettings } from "./requests/request-settings.js";

const VERDICT_SCHEMA: ReplySchema = {
  name: "answerable",
  schema: {
    type: "object",
    properties: { answerable: { type: "string", enum: ["yes", "no"] } },
    required: ["answerable"],
    additionalProperties: false,
  },
};

export interface AnswerabilitySettings extends Pick<RequestSettings, "request_timeout" | "structured_outputs"> {
  prompt_model: string;
  max_new_tokens: number;
  seed: number;
}

/** Passages that may answer a question, in its dialogue. */
export interface JudgedPassages {
  gold_docs: readonly Pick<Document, "fmt_content">[];
  chat_history: readonly ChatTurn[];
}

/** How a model is asked whether passages answer a question: at temperature 0. `language`: see `ForeignLanguage`. */
export function answerabilityRequest(
  domain: DomainConfig,
  settings: AnswerabilitySettings,
  { gold_docs, chat_history }: JudgedPassages,
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
