import { type Document, documentId } from "@rag-ft/core";
import { extractiveQuestions } from "@rag-ft/extractive";
import {
  type ChatMessage,
  type Completion,
  type CompletionOptions,
  createFailureLog,
  type DomainConfig,
  EXTRACTIVE,
  type FailureLog,
  provenanceOf,
  questionMessages,
  type StoredModel,
} from "@rag-ft/llm";
import { keepAnswerable } from "./answerability.js";
import type { ForeignPassages } from "./foreign-passages.js";
import { parseQuestions } from "./parse-questions.js";
import { questionSchema } from "./question-schema.js";
import type { GenQuestionsSettings } from "./settings.js";

/** Asks about passages, whoever does the asking. */
export interface Questioner {
  /** Questions of a passage, none when it has none to offer. `occurrence` tells a second request about it from the first. */
  ask(passage: Document, occurrence: number): Promise<string[]>;
  /** Says in every row where its questions come from. */
  provenance: Record<string, unknown>;
  concurrency: number;
  failures: FailureLog;
  /** Passages not in English; those that were asked about are counted. */
  foreign: ForeignPassages;
  /** The questions that a model finds answered by the passage; absent where the run does not ask for that. */
  keepAnswerable?: (passage: Document, questions: readonly string[]) => Promise<string[]>;
}

/** Rules over headings and sentences, which are for English: other passages have no questions. */
export function extractiveQuestioner(
  foreign: ForeignPassages,
  { split_by }: Pick<GenQuestionsSettings, "split_by">,
): Questioner {
  const failures = createFailureLog();
  return {
    provenance: { generator: EXTRACTIVE, question_provenance: { split_by } },
    concurrency: 1,
    failures,
    foreign,
    async ask(passage) {
      if (foreign.asked(passage) !== undefined) {
        failures.unusable('not in English, as the rules of "extractive" are', "unusable", subjectOf(passage));
        return [];
      }
      return extractiveQuestions(passage).map((found) => found.question);
    },
  };
}

const subjectOf = (passage: Document): { passage: string; source: string } => ({
  passage: documentId(passage),
  source: passage.metadata.source,
});

/** What the first and the second request about a passage are for. */
const PARTS = ["held-out", "training"];

type AskSettings = Pick<
  GenQuestionsSettings,
  "prompt_model" | "temperature" | "max_new_tokens" | "request_timeout" | "seed" | "structured_outputs"
>;

/** What is asked about a passage. */
export function questionRequest(
  domain: DomainConfig,
  settings: AskSettings,
  passage: Document,
  occurrence: number,
  language?: string,
): { messages: ChatMessage[]; options: CompletionOptions } {
  const schema = questionSchema(settings);
  const options = {
    temperature: settings.temperature,
    max_new_tokens: settings.max_new_tokens,
    timeout_ms: settings.request_timeout * 1000,
    // A second sample of the same prompt needs another seed, or it is the same reply.
    seed: settings.seed + occurrence,
    ...(schema ? { schema } : {}),
  };
  return { messages: questionMessages(domain, passage, language), options };
}

/** What rows say of the judge, too, where there is one. */
const judgeProvenance = (domain: DomainConfig, settings: GenQuestionsSettings) =>
  settings.filters.includes("answerable")
    ? {
        answerability_provenance: provenanceOf(domain.name, domain.answerability_prompt, {
          ...settings,
          temperature: 0,
        }),
      }
    : {};

/** A model. A failed request or a reply without a question is counted, and the passage has none. */
export function modelQuestioner(
  model: StoredModel,
  domain: DomainConfig,
  settings: GenQuestionsSettings,
  foreign: ForeignPassages,
  concurrency: number,
  signal: AbortSignal,
): Questioner {
  const failures = createFailureLog(model.tally);
  const judge = { model, domain, settings, foreign, failures, signal };
  return {
    provenance: {
      prompt_model: settings.prompt_model,
      question_provenance: {
        ...provenanceOf(domain.name, domain.question_prompt, settings),
        split_by: settings.split_by,
      },
      ...judgeProvenance(domain, settings),
    },
    concurrency,
    failures,
    foreign,
    ...(settings.filters.includes("answerable")
      ? { keepAnswerable: (passage, questions) => keepAnswerable(passage, questions, judge) }
      : {}),
    async ask(passage, occurrence) {
      const { messages, options } = questionRequest(domain, settings, passage, occurrence, foreign.asked(passage));
      const subject = { ...subjectOf(passage), part: PARTS[occurrence] };
      let reply: Completion;
      try {
        reply = await model.complete(messages, { ...options, signal }, occurrence);
      } catch (error) {
        failures.failed(error, subject);
        return [];
      }
      const questions = parseQuestions(reply.text);
      const cut = reply.finish_reason === "length";
      if (questions.length === 0)
        failures.unusable(
          "reply without a question (a line that ends with '?')",
          cut ? "truncated" : "unusable",
          subject,
        );
      else {
        failures.succeeded();
        if (cut) model.tally.problem("truncated", "kept");
      }
      return questions;
    },
  };
}
