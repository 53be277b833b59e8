import { documentId, questionKindOf, renumberCitations } from "@rag-ft/core";
import { extractiveAnswer } from "@rag-ft/extractive";
import {
  answerMessages,
  type ChatMessage,
  type CompletionOptions,
  createFailureLog,
  type DomainConfig,
  EXTRACTIVE,
  type FailureLog,
  type ForeignLanguage,
  provenanceOf,
  refusalTest,
  type StoredModel,
} from "@rag-ft/llm";
import type { OpenQuestion } from "./flatten-questions.js";
import type { GenAnswersSettings } from "./settings.js";

/** Answers questions, whoever does it. */
export interface Answerer {
  /** Undefined when there is no usable answer; the reason is in `failures`. */
  answer(question: OpenQuestion, occurrence: number): Promise<string | undefined>;
  /** Says in every row where its answer comes from. */
  provenance: Record<string, unknown>;
  concurrency: number;
  failures: FailureLog;
  /** Whether an answer says that the passage holds none. */
  saysNotInPassage(answer: string): boolean;
}

/** Tells the reply that a domain asks for when the passage holds no answer, and other ways of saying so; without such a phrase every reply is an answer. */
function notInPassage(phrase: string | undefined): (answer: string) => boolean {
  return phrase === undefined ? () => false : refusalTest(phrase);
}

const subjectOf = ({ question, gold_docs }: OpenQuestion): object => ({
  question,
  gold_doc_ids: gold_docs.map(documentId),
});

/** The language of a question's passages as a prompt calls it; undefined for English. */
export const languageOfPassages = (
  { gold_docs }: Pick<OpenQuestion, "gold_docs">,
  languageOf: ForeignLanguage,
): string | undefined => languageOf(gold_docs.map((passage) => passage.page_content).join("\n\n"));

/** Sentences of the gold passages, which rules for English find. */
export function extractiveAnswerer(languageOf: ForeignLanguage, { citations = false } = {}): Answerer {
  const failures = createFailureLog();
  return {
    provenance: { answer_generator: EXTRACTIVE, ...(citations ? { citations: true } : {}) },
    concurrency: 1,
    failures,
    saysNotInPassage: () => false,
    async answer(open) {
      if (languageOfPassages(open, languageOf) !== undefined) {
        failures.unusable('not in English, as the rules of "extractive" are', "unusable", subjectOf(open));
        return undefined;
      }
      for (const [i, passage] of open.gold_docs.entries()) {
        const answer = extractiveAnswer(passage, open.question);
        if (answer !== undefined) return citations ? `${answer} [${i + 1}]` : answer;
      }
      failures.unusable("no sentence of the passage shares a term with the question", "unusable", subjectOf(open));
      return undefined;
    },
  };
}

/** What models put before an answer: courtesies that end in a colon, and the label that a prompt's `Answer:` calls forth. */
const PREFACE =
  /^(?:(?:sure|certainly|of course|okay|absolutely)[!,.]\s*)?(?:here(?:'s| is| are)\b[^:\n]{0,80}answer[^:\n]{0,40}:|(?:sure|certainly|of course|okay|absolutely)[!.]\s)\s*(?=\S)/i;
const LABEL = /^[*_#\s]*(?:final )?answer[*_\s]*:[*_]*\s*/i;

function cleanAnswer(text: string): string {
  return text.trim().replace(PREFACE, "").replace(LABEL, "").trim();
}

/** The answer without citations of passages that it was not given. */
const soundCitations = (answer: string, passages: number): string =>
  renumberCitations(answer, (number) => (number >= 1 && number <= passages ? number : undefined));

type AskSettings = Pick<
  GenAnswersSettings,
  "prompt_model" | "temperature" | "max_new_tokens" | "request_timeout" | "seed" | "citations"
>;

/** How a question is asked. */
export function answerRequest(
  domain: DomainConfig,
  settings: AskSettings,
  open: OpenQuestion,
  occurrence: number,
  language?: string,
): { messages: ChatMessage[]; options: CompletionOptions } {
  const options = {
    temperature: settings.temperature,
    max_new_tokens: settings.max_new_tokens,
    timeout_ms: settings.request_timeout * 1000,
    seed: settings.seed + occurrence,
  };
  const { gold_docs, question, chat_history } = open;
  const kind = questionKindOf(open);
  const how = { language, history: chat_history, citations: settings.citations, kind };
  return { messages: answerMessages(domain, gold_docs, question, how), options };
}

/** A model. */
export function modelAnswerer(
  model: StoredModel,
  domain: DomainConfig,
  settings: AskSettings,
  languageOf: ForeignLanguage,
  concurrency: number,
  signal: AbortSignal,
): Answerer {
  const failures = createFailureLog(model.tally);
  return {
    provenance: {
      answer_model: settings.prompt_model,
      answer_provenance: provenanceOf(domain.name, domain.answer_prompt, settings),
      ...(settings.citations ? { citations: true } : {}),
    },
    concurrency,
    failures,
    saysNotInPassage: notInPassage(domain.answer_prompt.not_in_passage),
    async answer(question, occurrence) {
      const language = languageOfPassages(question, languageOf);
      const { messages, options } = answerRequest(domain, settings, question, occurrence, language);
      try {
        const completion = await model.complete(messages, { ...options, signal }, occurrence);
        const said = cleanAnswer(completion.text);
        const answer = settings.citations ? soundCitations(said, question.gold_docs.length) : said;
        if (answer === "") failures.unusable("empty answer", "empty", subjectOf(question));
        else failures.succeeded();
        if (answer !== "" && completion.finish_reason === "length") model.tally.problem("truncated", "kept");
        return answer === "" ? undefined : answer;
      } catch (error) {
        failures.failed(error, subjectOf(question));
        return undefined;
      }
    },
  };
}
