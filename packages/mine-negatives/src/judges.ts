import { type Document, documentId, type QuestionsRow, retrievalQuery, UserError } from "@rag-ft/core";
import {
  answerabilityRequest,
  answerableOf,
  createFailureLog,
  type DomainConfig,
  type FailureLog,
  type ForeignLanguage,
  type OpenedStoredModel,
} from "@rag-ft/llm";
import type { PairScorer } from "@rag-ft/models";
import type { Relevance, RelevanceJudge } from "./relabel.js";
import type { MineNegativesSettings } from "./settings.js";

/** Tokens of a verdict, with room for one that is said in a sentence. */
const VERDICT_TOKENS = 64;

/** How a model is asked whether a passage answers a question of a row. */
export function relevanceRequest(
  domain: DomainConfig,
  settings: MineNegativesSettings & { relabel_with: string },
  row: Pick<QuestionsRow, "chat_history">,
  passage: Pick<Document, "fmt_content">,
  question: string,
  language: string | undefined,
): ReturnType<typeof answerabilityRequest> {
  const how = { ...settings, prompt_model: settings.relabel_with, max_new_tokens: VERDICT_TOKENS };
  return answerabilityRequest(
    domain,
    how,
    { gold_docs: [passage], chat_history: row.chat_history },
    question,
    language,
  );
}

/** An LLM, asked of each question whether the passage alone answers it. Without a verdict a passage is safe for neither. */
export function modelJudge(
  model: OpenedStoredModel,
  domain: DomainConfig,
  languageOf: ForeignLanguage,
  settings: MineNegativesSettings & { relabel_with: string },
  signal: AbortSignal,
): RelevanceJudge & { failures: FailureLog } {
  const failures = createFailureLog(model.tally);
  const askOne = async (row: QuestionsRow, passage: Document, question: string): Promise<Relevance> => {
    const language = languageOf(passage.page_content);
    const { messages, options } = relevanceRequest(domain, settings, row, passage, question, language);
    const subject = { passage: documentId(passage), question };
    try {
      const { text } = await model.complete(messages, { ...options, signal });
      const answers = answerableOf(text);
      if (answers === undefined) failures.unusable("judge's reply without yes or no", "unusable", subject);
      else failures.succeeded();
      return answers === undefined ? "unsure" : answers ? "positive" : "negative";
    } catch (error) {
      failures.failed(error, subject);
      return "unsure";
    }
  };
  return {
    name: settings.relabel_with,
    concurrency: model.concurrency,
    failures,
    async judge(row, passage) {
      const verdicts: Relevance[] = [];
      // One after the other: rows are worked on side by side already.
      for (const question of row.questions) verdicts.push(await askOne(row, passage, question));
      return verdicts;
    },
  };
}

/** A passage that is at least half as likely as the gold one to be the answer, by a softmax over the two, is no safe negative. */
const UNSURE_WITHIN = Math.log(2);

/**
 * A reranker. Its logits are compared with the gold passage's for the same question, since only their differences mean the same for all rerankers: from the gold
 * one's on a passage is a positive, less than ln 2 below it neither.
 */
export function rerankerJudge(scorer: PairScorer, name: string, signal: AbortSignal): RelevanceJudge {
  const goldLogits = new Map<QuestionsRow, Promise<number[]>>();
  const logitsOf = async (row: QuestionsRow, passages: readonly Document[]): Promise<number[]> => {
    const queries = row.questions.map((question) => retrievalQuery({ question, chat_history: row.chat_history }));
    const pairs = queries.flatMap((query) => passages.map(({ fmt_content }) => [query, fmt_content] as const));
    const logits = await scorer.logits(pairs, { signal });
    return queries.map((_, i) => Math.max(...logits.subarray(i * passages.length, (i + 1) * passages.length)));
  };
  return {
    name,
    concurrency: 1,
    async judge(row, passage) {
      const known = goldLogits.get(row) ?? logitsOf(row, row.gold_docs);
      goldLogits.set(row, known);
      const [gold, own] = [await known, await logitsOf(row, [passage])];
      return own.map((logit, i): Relevance => {
        const below = (gold[i] as number) - logit;
        return below <= 0 ? "positive" : below < UNSURE_WITHIN ? "unsure" : "negative";
      });
    },
  };
}

/** @throws UserError for what can judge nothing. */
export function checkJudge({ relabel_with }: Pick<MineNegativesSettings, "relabel_with">): void {
  if (relabel_with === "extractive")
    throw new UserError(
      'relabel_with is "extractive", but rules cannot say whether a passage answers a question: name an LLM or the folder of a reranker.',
    );
}
