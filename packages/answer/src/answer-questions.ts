import { type Reporter, throwIfCancelled } from "@rag-ft/core";
import {
  type Completion,
  CompletionError,
  type CompletionStore,
  checkReply,
  completionKey,
  createFailureLog,
  defaultConcurrency,
  type RequestTally,
  readCompletion,
  runPool,
} from "@rag-ft/llm";
import type { AnswerRequest, Generator } from "./generator.js";

/** One answer, or why there is none. */
export interface Answer {
  /** Empty when the request failed. */
  text: string;
  /** `stop`, `length` (cut at max_new_tokens), or as the provider names it; `failed`. */
  finish_reason: string;
  /** Wall time of the request, or its part of that of requests answered together; undefined when the request failed. */
  seconds?: number;
  dropped_passages: number;
  error?: string;
}

export interface AnswerQuestionsOptions {
  store: CompletionStore;
  /** Counts what happens to the requests. */
  tally?: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
  concurrency?: number;
  /** Of the progress; `answering questions` when left out. */
  label?: string;
}

export interface AnsweredQuestions {
  answers: Answer[];
  /** Answers taken from an earlier run. */
  reused: number;
  /** Reasons of failed requests, most frequent first. */
  failures: string[];
}

/**
 * Answers every question in order. Each answer is on disk the moment it arrives, so that a stopped run goes on where it was
 * and pays for nothing twice. A failed request leaves an empty answer, which is counted and scores 0.
 */
export async function answerQuestions(
  generator: Generator,
  requests: readonly AnswerRequest[],
  options: AnswerQuestionsOptions,
): Promise<AnsweredQuestions> {
  const { store, reporter, signal, tally } = options;
  const failures = createFailureLog(tally);
  const progress = reporter.start(options.label ?? "answering questions", requests.length);
  let reused = 0;
  const answerOne = async (request: AnswerRequest): Promise<Answer> => {
    throwIfCancelled(signal);
    const prepared = generator.prepare(request);
    const dropped_passages = prepared.dropped;
    const key = completionKey(generator.identity, prepared.messages, prepared.options);
    const stored = store.get(key);
    const ask = async (): Promise<Completion> => {
      const startedAt = performance.now();
      tally?.sent();
      const completion = await prepared.send();
      tally?.used(completion.usage);
      // A model that answers several requests together says what each took.
      const timed = { seconds: (performance.now() - startedAt) / 1000, ...completion };
      await store.put(key, timed);
      return timed;
    };
    if (stored !== undefined) {
      reused++;
      tally?.reused();
    }
    try {
      const completion = stored ?? (await ask());
      // A decoder in this process may well say nothing: that is its answer.
      const { text, finish_reason, seconds } =
        generator.provider === "local" ? readCompletion(completion) : checkReply(completion, generator.identity);
      failures.succeeded();
      return { text: text.trim(), finish_reason, dropped_passages, ...(seconds === undefined ? {} : { seconds }) };
    } catch (error) {
      failures.failed(error);
      if (!(error instanceof CompletionError)) throw error;
      return { text: "", finish_reason: "failed", dropped_passages, error: error.message };
    }
  };
  try {
    const answers = await runPool(requests, answerOne, {
      concurrency: options.concurrency ?? defaultConcurrency(generator),
      signal,
      onDone: (done) => progress.update(done),
    });
    return { answers, reused, failures: failures.lines() };
  } finally {
    progress.stop();
  }
}
