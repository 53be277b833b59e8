import { documentId, UserError } from "@rag-ft/core";
import {
  type AnswerabilitySettings,
  answerabilityRequest,
  answerableOf,
  type DomainConfig,
  type FailureLog,
  type StoredModel,
} from "@rag-ft/llm";
import type { PassageRow } from "./choose-passages.js";
import type { ForeignPassages } from "./foreign-passages.js";
import type { GenQuestionsSettings } from "./settings.js";

/** What a question is asked of, in its dialogue. */
type JudgedRow = Pick<PassageRow, "gold_docs" | "chat_history">;

/** The questions that the judge finds answered by the passage. One without a verdict is left out, and counted as a failure. */
export async function keepAnswerable(
  row: JudgedRow,
  questions: readonly string[],
  ask: {
    model: StoredModel;
    domain: DomainConfig;
    settings: AnswerabilitySettings;
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
