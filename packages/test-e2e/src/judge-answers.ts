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
import { type JudgeCase, judgeMessages, parseVerdict, VERDICT_SCHEMA, type Verdict } from "./judge-prompt.js";

/** Room for an explanation and the verdict. */
export const JUDGE_MAX_NEW_TOKENS = 512;

/** `unparsed`: a reply without verdict; `failed`: no reply. */
export type Outcome = Verdict | "unparsed" | "failed";

export interface Judgement {
  /** The first verdict, which is the one that counts: figures do not depend on the number of repeats. */
  verdict: Outcome;
  reply: string;
  /** All verdicts, the first among them, when the judge was asked more than once. */
  verdicts?: Outcome[];
}

export interface JudgeRequestOptions {
  timeout_ms: number;
  seed: number;
  /** Ask for the verdict's schema where the server can hold a model to it. */
  structured: boolean;
}

export interface JudgeAnswersOptions extends JudgeRequestOptions {
  store: CompletionStore;
  /** Counts what happens to the requests. */
  tally?: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
  /** Times that the judge is asked about each answer. */
  repeats: number;
  concurrency?: number;
}

export interface JudgedAnswers {
  judgements: Judgement[];
  /** Reasons of failed and unusable replies, most frequent first. */
  problems: string[];
}

/** How the judge is asked about an answer: greedily. */
export function judgeRequest(
  item: JudgeCase,
  { timeout_ms, seed, structured }: JudgeRequestOptions,
): { messages: ChatMessage[]; options: CompletionOptions } {
  return {
    messages: judgeMessages(item),
    options: {
      temperature: 0,
      max_new_tokens: JUDGE_MAX_NEW_TOKENS,
      timeout_ms,
      seed,
      ...(structured ? { schema: VERDICT_SCHEMA } : {}),
    },
  };
}

/** Asks the judge about every answer. An empty answer is incorrect without being sent. */
export async function judgeAnswers(
  judge: LanguageModel,
  cases: readonly JudgeCase[],
  options: JudgeAnswersOptions,
): Promise<JudgedAnswers> {
  const { reporter, signal, repeats } = options;
  const model = withStore(judge, options.store, options.tally);
  const failures = createFailureLog(model.tally);
  const asked = cases.flatMap((item) => Array.from({ length: repeats }, (_, repeat) => ({ item, repeat })));
  const progress = reporter.start(`judging answers (${judge.name})`, asked.length);
  const judgeOne = async ({ item, repeat }: (typeof asked)[number]): Promise<Judgement> => {
    if (item.answer.trim() === "") return { verdict: "incorrect", reply: "Not sent: the answer is empty." };
    try {
      const request = judgeRequest(item, options);
      const { text } = await model.complete(request.messages, { ...request.options, signal }, repeat);
      const verdict = parseVerdict(text);
      if (verdict === undefined) failures.unusable('a reply of the judge without a verdict ("correct" or "incorrect")');
      else failures.succeeded();
      return { verdict: verdict ?? "unparsed", reply: text };
    } catch (error) {
      failures.failed(error);
      if (!(error instanceof CompletionError)) throw error;
      return { verdict: "failed", reply: error.message };
    }
  };
  try {
    const outcomes = await runPool(asked, judgeOne, {
      concurrency: options.concurrency ?? defaultConcurrency(judge),
      signal,
      onDone: (done) => progress.update(done),
    });
    const judgements = cases.map((_, i): Judgement => {
      const own = outcomes.slice(i * repeats, (i + 1) * repeats);
      const [first = { verdict: "failed", reply: "" }] = own;
      return repeats > 1 ? { ...first, verdicts: own.map(({ verdict }) => verdict) } : first;
    });
    return { judgements, problems: failures.lines() };
  } finally {
    progress.stop();
  }
}
