import { type Document, documentId, type QuestionKind } from "@rag-ft/core";
import { extractiveQuestionsOfKind } from "@rag-ft/extractive";
import {
  type ChatMessage,
  type Completion,
  type CompletionOptions,
  createFailureLog,
  type DomainConfig,
  EXTRACTIVE,
  type FailureLog,
  kindMessages,
  provenanceOf,
  type StoredModel,
} from "@rag-ft/llm";
import { keepAnswerable } from "./answerability.js";
import type { PassageRow } from "./choose-passages.js";
import type { ForeignPassages } from "./foreign-passages.js";
import { type AskedQuestions, parseKind } from "./parse-kinds.js";
import type { RowToAsk } from "./plan-kinds.js";
import { questionSchema } from "./question-schema.js";
import type { GenQuestionsSettings } from "./settings.js";

/** Asks about passages, whoever does the asking. */
export interface Questioner {
  /** Questions of a row's passages, none when they have none to offer. `occurrence` tells a second request about it from the first. */
  ask(row: RowToAsk, occurrence: number): Promise<AskedQuestions>;
  /** Says in every row where its questions come from. */
  provenance: Record<string, unknown>;
  /** Shares of the kinds of questions that are asked for; undefined where all are as ever. */
  kinds: DomainConfig["question_kinds"];
  concurrency: number;
  failures: FailureLog;
  /** Passages not in English; those that were asked about are counted. */
  foreign: ForeignPassages;
  /** The questions that a model finds answered by the row's passages; absent where the run does not ask for that. */
  keepAnswerable?: (row: PassageRow, questions: readonly string[]) => Promise<string[]>;
}

/** Rules over headings and sentences, which are for English: other passages have no questions. */
export function extractiveQuestioner(
  foreign: ForeignPassages,
  { split_by }: Pick<GenQuestionsSettings, "split_by">,
  kinds?: DomainConfig["question_kinds"],
): Questioner {
  const failures = createFailureLog();
  return {
    provenance: { generator: EXTRACTIVE, question_provenance: { split_by } },
    kinds,
    concurrency: 1,
    failures,
    foreign,
    async ask({ gold_docs: [passage], question_kind = "full" }) {
      if (!passage) return { questions: [] };
      if (foreign.asked(passage) !== undefined) {
        failures.unusable('not in English, as the rules of "extractive" are', "unusable", subjectOf(passage));
        return { questions: [] };
      }
      return { questions: extractiveQuestionsOfKind(passage, question_kind) };
    },
  };
}

const subjectOf = (passage: Document): { passage: string; source: string } => ({
  passage: documentId(passage),
  source: passage.metadata.source,
});

/** What a reply lacks that has no question of its kind. */
const NO_QUESTION: Record<QuestionKind, string> = {
  full: "reply without a question (a line that ends with '?')",
  how_to: "reply without a question of how to do something",
  keywords: "reply without a search",
  error_message: "reply without a message of an error",
  follow_up: "reply without a dialogue (question, answer and follow-up)",
  two_passages: "reply without a question over both passages",
};

/** What the first and the second request about a passage are for. */
const PARTS = ["held-out", "training"];

type AskSettings = Pick<
  GenQuestionsSettings,
  "prompt_model" | "temperature" | "max_new_tokens" | "request_timeout" | "seed" | "structured_outputs"
>;

/** What is asked about a row's passages. */
export function questionRequest(
  domain: DomainConfig,
  settings: AskSettings,
  { gold_docs, question_kind: kind = "full" }: RowToAsk,
  occurrence: number,
  language?: string,
): { messages: ChatMessage[]; options: CompletionOptions } {
  const schema = questionSchema(settings, kind);
  const options = {
    temperature: settings.temperature,
    max_new_tokens: settings.max_new_tokens,
    timeout_ms: settings.request_timeout * 1000,
    // A second sample of the same prompt needs another seed, or it is the same reply.
    seed: settings.seed + occurrence,
    ...(schema ? { schema } : {}),
  };
  return { messages: kindMessages(domain, gold_docs, kind, language), options };
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
    kinds: domain.question_kinds,
    concurrency,
    failures,
    foreign,
    ...(settings.filters.includes("answerable")
      ? { keepAnswerable: (row, questions) => keepAnswerable(row, questions, judge) }
      : {}),
    async ask(row, occurrence) {
      const [passage] = row.gold_docs;
      if (!passage) return { questions: [] };
      const { messages, options } = questionRequest(domain, settings, row, occurrence, foreign.asked(passage));
      const kind = row.question_kind;
      const subject = { ...subjectOf(passage), part: PARTS[occurrence], ...(kind ? { question_kind: kind } : {}) };
      let reply: Completion;
      try {
        reply = await model.complete(messages, { ...options, signal }, occurrence);
      } catch (error) {
        failures.failed(error, subject);
        return { questions: [] };
      }
      const asked = parseKind(reply.text, kind);
      const cut = reply.finish_reason === "length";
      if (asked.questions.length === 0)
        failures.unusable(NO_QUESTION[kind ?? "full"], cut ? "truncated" : "unusable", subject);
      else {
        failures.succeeded();
        if (cut) model.tally.problem("truncated", "kept");
      }
      return asked;
    },
  };
}
