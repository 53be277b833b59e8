import type { Reporter } from "@rag-ft/core";
import {
  type ChatMessage,
  CompletionError,
  type CompletionOptions,
  type CompletionStore,
  createFailureLog,
  defaultConcurrency,
  type LanguageModel,
  type ReplySchema,
  type RequestTally,
  runPool,
  withStore,
} from "@rag-ft/llm";

/** Room for an explanation and the verdict. */
export const JUDGE_MAX_NEW_TOKENS = 512;

/** `unparsed`: a reply without verdict; `failed`: no reply. */
export type OutcomeOf<Verdict extends string> = Verdict | "unparsed" | "failed";

export interface JudgedCase<Verdict extends string> {
  verdict: OutcomeOf<Verdict>;
  reply: string;
}

/** What a judge is asked. */
export interface JudgeQuestion<Case, Verdict extends string> {
  /** For the progress: `judging answers`. */
  label: string;
  messages(item: Case): ChatMessage[];
  schema: ReplySchema;
  /** For the log of failures: `"correct" or "incorrect"`. */
  verdicts: string;
  parse(reply: string): Verdict | undefined;
  /** What needs no judge is not sent. */
  known?(item: Case): JudgedCase<Verdict> | undefined;
}

export interface JudgeRequestOptions {
  timeout_ms: number;
  seed: number;
  /** Ask for the verdict's schema where the server can hold a model to it. */
  structured: boolean;
}

export interface AskJudgeOptions extends JudgeRequestOptions {
  store: CompletionStore;
  /** Counts what happens to the requests. */
  tally?: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
  /** Times that the judge is asked about each case. */
  repeats: number;
  concurrency?: number;
}

export interface JudgedCases<Verdict extends string> {
  /** The outcomes of each case, one a repeat. */
  outcomes: JudgedCase<Verdict>[][];
  /** Reasons of failed and unusable replies, most frequent first. */
  problems: string[];
}

/** How a judge is asked about a case: greedily. */
export function caseRequest<Case>(
  question: Pick<JudgeQuestion<Case, string>, "messages" | "schema">,
  item: Case,
  { timeout_ms, seed, structured }: JudgeRequestOptions,
): { messages: ChatMessage[]; options: CompletionOptions } {
  return {
    messages: question.messages(item),
    options: {
      temperature: 0,
      max_new_tokens: JUDGE_MAX_NEW_TOKENS,
      timeout_ms,
      seed,
      ...(structured ? { schema: question.schema } : {}),
    },
  };
}

/** Asks a judge the same about every case. */
export async function askJudge<Case, Verdict extends string>(
  judge: LanguageModel,
  question: JudgeQuestion<Case, Verdict>,
  cases: readonly Case[],
  options: AskJudgeOptions,
): Promise<JudgedCases<Verdict>> {
  const { reporter, signal, repeats } = options;
  const model = withStore(judge, options.store, options.tally);
  const failures = createFailureLog(model.tally);
  const asked = cases.flatMap((item) => Array.from({ length: repeats }, (_, repeat) => ({ item, repeat })));
  const progress = reporter.start(`${question.label} (${judge.name})`, asked.length);
  const judgeOne = async ({ item, repeat }: (typeof asked)[number]): Promise<JudgedCase<Verdict>> => {
    const known = question.known?.(item);
    if (known) return known;
    try {
      const request = caseRequest(question, item, options);
      const { text } = await model.complete(request.messages, { ...request.options, signal }, repeat);
      const verdict = question.parse(text);
      if (verdict === undefined) failures.unusable(`a reply of the judge without a verdict (${question.verdicts})`);
      else failures.succeeded();
      return { verdict: verdict ?? "unparsed", reply: text };
    } catch (error) {
      failures.failed(error);
      if (!(error instanceof CompletionError)) throw error;
      return { verdict: "failed", reply: error.message };
    }
  };
  try {
    const all = await runPool(asked, judgeOne, {
      concurrency: options.concurrency ?? defaultConcurrency(judge),
      signal,
      onDone: (done) => progress.update(done),
    });
    return {
      outcomes: cases.map((_, i) => all.slice(i * repeats, (i + 1) * repeats)),
      problems: failures.lines(),
    };
  } finally {
    progress.stop();
  }
}
