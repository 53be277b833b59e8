import type { Reporter } from "@rag-ft/core";
import {
  type ChatMessage,
  CompletionError,
  type CompletionOptions,
  type CompletionStore,
  createFailureLog,
  defaultConcurrency,
  type LanguageModel,
  type RequestTally,
  runPool,
  withStore,
} from "@rag-ft/llm";
import { type JudgeCase, judgeMessages, parseVerdict, type Verdict } from "./judge-prompt.js";

/** Room for an explanation and the verdict. */
const JUDGE_MAX_NEW_TOKENS = 512;

export interface Judgement {
  /** `unparsed`: a reply without verdict; `failed`: no reply. */
  verdict: Verdict | "unparsed" | "failed";
  reply: string;
}

/** `gpt4_acc` is over parsed verdicts; the bounds take every other answer as wrong, or as right. */
export interface JudgeFigures {
  gpt4_acc?: number;
  gpt4_acc_low: number;
  gpt4_acc_high: number;
  gpt4_parsed: number;
  gpt4_unparsed: number;
  gpt4_failed: number;
}

export function judgeFigures(judgements: readonly Judgement[]): JudgeFigures {
  const countOf = (verdict: Judgement["verdict"]): number =>
    judgements.filter((judgement) => judgement.verdict === verdict).length;
  const correct = countOf("correct");
  const parsed = correct + countOf("incorrect");
  const missing = judgements.length - parsed;
  return {
    ...(parsed > 0 ? { gpt4_acc: correct / parsed } : {}),
    gpt4_acc_low: correct / judgements.length,
    gpt4_acc_high: (correct + missing) / judgements.length,
    gpt4_parsed: parsed,
    gpt4_unparsed: countOf("unparsed"),
    gpt4_failed: countOf("failed"),
  };
}

export interface JudgeAnswersOptions {
  store: CompletionStore;
  /** Counts what happens to the requests. */
  tally?: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
  timeout_ms: number;
  seed: number;
  concurrency?: number;
}

export interface JudgedAnswers {
  judgements: Judgement[];
  /** Reasons of failed and unusable replies, most frequent first. */
  problems: string[];
}

/** How the judge is asked about an answer. */
export function judgeRequest(
  item: JudgeCase,
  { timeout_ms, seed }: Pick<JudgeAnswersOptions, "timeout_ms" | "seed">,
): { messages: ChatMessage[]; options: CompletionOptions } {
  return {
    messages: judgeMessages(item),
    options: { temperature: 0, max_new_tokens: JUDGE_MAX_NEW_TOKENS, timeout_ms, seed },
  };
}

/** Asks the judge about every answer, greedily. An empty answer is incorrect without being sent. */
export async function judgeAnswers(
  judge: LanguageModel,
  cases: readonly JudgeCase[],
  options: JudgeAnswersOptions,
): Promise<JudgedAnswers> {
  const { reporter, signal } = options;
  const model = withStore(judge, options.store, options.tally);
  const failures = createFailureLog(model.tally);
  const progress = reporter.start(`judging answers (${judge.name})`, cases.length);
  const judgeOne = async (item: JudgeCase): Promise<Judgement> => {
    if (item.answer.trim() === "") return { verdict: "incorrect", reply: "Not sent: the answer is empty." };
    try {
      const request = judgeRequest(item, options);
      const { text } = await model.complete(request.messages, { ...request.options, signal });
      const verdict = parseVerdict(text);
      if (verdict === undefined)
        failures.unusable("a reply without a verdict (Correctness: [[correct]] or [[incorrect]])");
      else failures.succeeded();
      return { verdict: verdict ?? "unparsed", reply: text };
    } catch (error) {
      failures.failed(error);
      if (!(error instanceof CompletionError)) throw error;
      return { verdict: "failed", reply: error.message };
    }
  };
  try {
    const judgements = await runPool(cases, judgeOne, {
      concurrency: options.concurrency ?? defaultConcurrency(judge),
      signal,
      onDone: (done) => progress.update(done),
    });
    return { judgements, problems: failures.lines() };
  } finally {
    progress.stop();
  }
}
