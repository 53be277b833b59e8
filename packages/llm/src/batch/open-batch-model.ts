import { randomUUID } from "node:crypto";
import { CancelledError, hashText, type Reporter, UserError } from "@rag-ft/core";
import type OpenAI from "openai";
import { APIError, NotFoundError, toFile } from "openai";
import type { OpenedItem } from "../bill/bill.js";
import { CompletionError } from "../completion-error.js";
import type { Completion, LanguageModel } from "../language-model.js";
import { describeError, isSurelyUnbilled } from "../openai/describe-error.js";
import { asOpenAiError } from "../openai/error-body.js";
import { readReply } from "../openai/read-reply.js";
import { requestBody, type Server } from "../openai/server.js";
import { type Clock, realClock } from "../requests/minute-budget.js";
import type { RequestTally } from "../requests/request-tally.js";
import { countTokens, promptBound } from "../tokens/count-tokens.js";
import { type BatchJournal, type JournalledBatch, openBatchJournal } from "./batch-journal.js";

/** The most that OpenAI takes in one batch: so many requests, and (with some room) so many bytes. */
const MAX_REQUESTS = 50_000;
const MAX_BYTES = 190_000_000;
/** Requests come in waves: a wave is over when no further one has come for so long. */
const WAVE_MS = 100;
/** First and longest time between two looks at a batch. */
const FIRST_LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 60_000;
/** Retries of calls that may be repeated (looks and downloads); the SDK backs off between them. */
const SDK_RETRIES = { maxRetries: 6 };
/** How many of the newest batches are searched for one whose id was lost. */
const SEARCHED_BATCHES = 500;
const ENDED = new Set(["completed", "expired", "cancelled", "failed"]);

export interface BatchModelOptions {
  server: Server;
  tally: RequestTally;
  /** File that remembers batches over runs. */
  journalPath: string;
  max_retries: number;
  reporter: Reporter;
  signal?: AbortSignal | undefined;
  clock?: Clock;
  waveMs?: number;
  firstLookMs?: number;
}

interface Pending {
  id: string;
  body: OpenAI.ChatCompletionCreateParamsNonStreaming;
  estimate: number;
  item: OpenedItem | undefined;
  attempts: number;
  resolve: (completion: Completion) => void;
  reject: (error: unknown) => void;
}

/** A line of a batch's output or error file. */
interface ResultLine {
  custom_id: string;
  response: { status_code: number; body: unknown } | null;
  error: { code: string; message: string } | null;
}

/**
 * A model that is asked through OpenAI's Batch API, at half the price and within a day.
 *
 * 1. Requests are gathered until no more come: one wave, one batch (more when it would be too large).
 * 2. The journal notes which requests a batch is about to hold, the batch is made with the journal's mark in its metadata,
 *    and the journal notes the batch's id. So a run that starts again finds each request's batch, even one that was made
 *    but not noted, and takes its results instead of asking again.
 * 3. Batches are looked at until they end; each result settles its request. What expired or failed for the moment goes into
 *    a further batch, `max_retries` times.
 */
export async function openBatchModel(options: BatchModelOptions): Promise<LanguageModel> {
  const {
    server,
    tally,
    max_retries,
    reporter,
    signal,
    clock = realClock,
    waveMs = WAVE_MS,
    firstLookMs = FIRST_LOOK_MS,
  } = options;
  const { name, where, client } = server;
  const journal: BatchJournal = await openBatchJournal(options.journalPath);
  const bill = tally.bill;
  bill?.check(name);
  /** Asked for and not in a batch of this run yet; the same request asked twice is sent once. */
  let wave = new Map<string, Pending[]>();
  let timer: NodeJS.Timeout | undefined;
  const used = new Set<JournalledBatch>();

  const settle = (waiting: readonly Pending[], outcome: Completion | Error): void => {
    for (const [nth, { item, estimate, resolve, reject }] of waiting.entries()) {
      if (outcome instanceof Error) {
        if (isSurelyUnbilled(outcome) || nth > 0) item?.refused();
        else item?.unknown();
        reject(outcome);
      } else if (nth > 0) {
        item?.refused();
        resolve(outcome);
      } else {
        const billed = item?.paid(outcome.usage, estimate);
        resolve(billed ? { ...outcome, billed } : outcome);
      }
    }
  };

  const errorOf = ({ response, error }: ResultLine): CompletionError => {
    const status = response?.status_code ?? 0;
    const code = error?.code ?? "";
    const body = JSON.parse(asOpenAiError(JSON.stringify(response?.body ?? {}))) as { error: { message: string } };
    const message = `${where}: ${status || code} ${response ? body.error.message : (error?.message ?? "")}`.trim();
    if (code === "batch_expired" || code === "batch_cancelled")
      return new CompletionError(message, { kind: "server_error", retry: {} });
    const described = describeError(APIError.generate(status, body, body.error.message, new Headers()), server, false);
    if (described instanceof CompletionError) return described;
    throw described;
  };

  const takeResults = async (batch: OpenAI.Batch, requests: Map<string, Pending[]>): Promise<void> => {
    const again = (waiting: readonly Pending[]): void => {
      const id = waiting[0]?.id;
      if (id === undefined) return;
      wave.set(id, [...(wave.get(id) ?? []), ...waiting]);
      scheduleWave();
    };
    const take = (line: ResultLine): void => {
      const waiting = requests.get(line.custom_id);
      if (!waiting) return;
      requests.delete(line.custom_id);
      let outcome: Completion | CompletionError;
      try {
        outcome = line.response?.status_code === 200 ? readReply(line.response.body, server) : errorOf(line);
      } catch (error) {
        if (!(error instanceof CompletionError)) throw error;
        outcome = error;
      }
      const attempts = waiting[0]?.attempts ?? 0;
      if (outcome instanceof CompletionError && outcome.retry && attempts < max_retries) {
        tally.problem(outcome.kind, "tried_again");
        for (const one of waiting) one.attempts++;
        again(waiting);
      } else settle(waiting, outcome);
    };
    for (const file of [batch.output_file_id, batch.error_file_id]) {
      if (!file) continue;
      const text = await (await client.files.content(file, SDK_RETRIES)).text();
      for (const line of text.split("\n")) if (line.trim() !== "") take(JSON.parse(line) as ResultLine);
    }
    // What a batch that ended says nothing of: sent again like what expired.
    for (const waiting of requests.values()) again(waiting);
    requests.clear();
  };

  const follow = async (entry: JournalledBatch, id: string, requests: Map<string, Pending[]>): Promise<void> => {
    used.add(entry);
    const progress = reporter.start(`batch ${id}`, requests.size);
    try {
      for (let wait = firstLookMs; ; wait = Math.min(LONGEST_LOOK_MS, wait * 1.5)) {
        const batch = await client.batches.retrieve(id, SDK_RETRIES);
        const { completed = 0, failed = 0 } = batch.request_counts ?? {};
        progress.update(Math.min(requests.size, completed + failed), batch.status);
        if (batch.status === "failed") throw failedBatch(batch);
        if (ENDED.has(batch.status)) return await takeResults(batch, requests);
        await clock.sleep(wait, signal);
      }
    } finally {
      progress.stop();
    }
  };

  const failedBatch = (batch: OpenAI.Batch): UserError => {
    const problems =
      batch.errors?.data?.map(({ code, message }) => `${code}: ${message}`).join("; ") ?? "no reason given";
    return new UserError(
      `${where} refused the batch ${batch.id} of "${name}" (${problems}). Check the model's name and the limits of your account, then run again: finished completions are kept.`,
    );
  };

  const findByMark = async (mark: string): Promise<string | undefined> => {
    let seen = 0;
    for await (const batch of client.batches.list({ limit: 100 }, SDK_RETRIES)) {
      if (batch.metadata?.rag_ft === mark) return batch.id;
      if (++seen >= SEARCHED_BATCHES) return undefined;
    }
    return undefined;
  };

  const create = async (entry: JournalledBatch, lines: readonly string[]): Promise<string> => {
    const content = await toFile(Buffer.from(lines.join("")), "requests.jsonl");
    const file = await client.files.create({ file: content, purpose: "batch" }, SDK_RETRIES);
    const request = {
      input_file_id: file.id,
      endpoint: "/v1/chat/completions" as const,
      completion_window: "24h" as const,
      metadata: { rag_ft: entry.mark },
    };
    // Not repeated blindly: after a lost reply the batch may be there.
    for (let attempt = 0; ; attempt++) {
      try {
        return (await client.batches.create(request)).id;
      } catch (error) {
        const passing =
          !(error instanceof APIError) || error.status === undefined || error.status >= 500 || error.status === 429;
        const made = passing ? await findByMark(entry.mark) : undefined;
        if (made !== undefined) return made;
        if (!passing || attempt >= max_retries) throw error;
        await clock.sleep(FIRST_LOOK_MS * 2 ** attempt, signal);
      }
    }
  };

  const submit = async (requests: Map<string, Pending[]>, lines: readonly string[]): Promise<void> => {
    const entry = await journal.begin(randomUUID(), [...requests.keys()]);
    const id = await create(entry, lines);
    await journal.sent(entry, id);
    reporter.info(`batch ${id}: ${requests.size} requests sent; a run that is stopped takes its results up later`);
    await follow(entry, id, requests);
  };

  /** Requests that a batch of an earlier run holds. */
  const attach = async (entry: JournalledBatch, requests: Map<string, Pending[]>): Promise<void> => {
    used.add(entry);
    const id = entry.batch ?? (await findByMark(entry.mark));
    if (id !== undefined && entry.batch === undefined) await journal.sent(entry, id);
    try {
      if (id !== undefined) {
        reporter.info(`batch ${id}: taken up again for ${requests.size} requests`);
        return await follow(entry, id, requests);
      }
    } catch (error) {
      // Results are kept for some weeks only.
      if (!(error instanceof NotFoundError)) throw error;
      reporter.warn(`batch ${id}: ${where} does not have it any more; its requests are sent again`);
    }
    for (const [key, waiting] of requests) wave.set(key, [...(wave.get(key) ?? []), ...waiting]);
    requests.clear();
    scheduleWave();
  };

  const guard = (requests: Map<string, Pending[]>, work: Promise<void>): void => {
    work.catch((error: unknown) => {
      const described =
        error instanceof NotFoundError
          ? new UserError(`${where} has no Batch API (HTTP 404). Leave out --batch.`)
          : error instanceof CancelledError
            ? error
            : describeError(error, server, false);
      for (const waiting of requests.values()) settle(waiting, described);
    });
  };

  const sendWave = (): void => {
    const requests = wave;
    wave = new Map();
    if (signal?.aborted) {
      guard(requests, Promise.reject(new CancelledError("Stopped on request.")));
      return;
    }
    for (const entry of [...journal.batches].reverse()) {
      if (used.has(entry)) continue;
      const own = new Map(entry.requests.flatMap((id) => (requests.has(id) ? [[id, requests.get(id) ?? []]] : [])));
      if (own.size === 0) continue;
      for (const id of own.keys()) requests.delete(id);
      guard(own, attach(entry, own));
    }
    let part = new Map<string, Pending[]>();
    let lines: string[] = [];
    let bytes = 0;
    const close = (): void => {
      if (part.size > 0) guard(part, submit(part, lines));
      part = new Map();
      lines = [];
      bytes = 0;
    };
    for (const [id, waiting] of requests) {
      const body = waiting[0]?.body;
      const line = `${JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body })}\n`;
      const size = Buffer.byteLength(line);
      if (part.size >= MAX_REQUESTS || bytes + size > MAX_BYTES) close();
      part.set(id, waiting);
      lines.push(line);
      bytes += size;
    }
    close();
  };
  const scheduleWave = (): void => {
    clearTimeout(timer);
    timer = setTimeout(sendWave, waveMs);
  };

  return {
    name,
    provider: "openai",
    concurrency: MAX_REQUESTS,
    async complete(messages, request) {
      const body = requestBody(server, messages, request);
      const estimate = await countTokens(messages);
      const bound = {
        prompt_tokens: promptBound(name, messages, estimate, request.schema),
        completion_tokens: request.max_new_tokens,
      };
      const item = await bill?.open(name, bound, true);
      const id = hashText(JSON.stringify(body));
      return new Promise((resolve, reject) => {
        const pending = { id, body, estimate, item, attempts: 0, resolve, reject };
        wave.set(id, [...(wave.get(id) ?? []), pending]);
        scheduleWave();
      });
    },
    close: async () => clearTimeout(timer),
  };
}
