import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type ChatRequest, completionReply, type ReplyDetails, type ReplyFunction } from "./openai-server.js";
import type { RawReply } from "./raw-reply.js";

/** Errors that pass: met by some attempts of a request and not by others. */
const PASSING_KINDS = ["429", "500", "hang", "reset", "reset-mid-body", "malformed", "no-choices"] as const;

/** The rest is the same for every attempt. */
export const faultKinds = [...PASSING_KINDS, "empty", "refusal", "content-filter"] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface FaultyReplyOptions {
  /** What a sound reply says. */
  reply: (body: ChatRequest) => string;
  /** Share of requests that meet a fault, in [0, 1]. */
  rate: number;
  /** The faults, in turn as the hash of a request falls; all when left out. */
  kinds?: readonly FaultKind[];
  seed?: number;
  latencyMs?: number;
  retryAfterSeconds?: number;
  /** For usage. */
  countTokens?: (text: string) => number;
}

export interface FaultyReplies {
  reply: ReplyFunction;
  /** Sound replies by the hash of the request's body, with the time at which each was handed over. */
  completed: Map<string, number[]>;
  /** How often each fault was met. */
  faults: Partial<Record<FaultKind, number>>;
  usage: { prompt_tokens: number; completion_tokens: number };
}

const PASSING: ReadonlySet<FaultKind> = new Set(PASSING_KINDS);

function faultyReply(kind: FaultKind, sound: RawReply, body: ChatRequest, index: number, retryAfter: number): RawReply {
  const details = (more: ReplyDetails, text = ""): RawReply => completionReply(body, text, index, more);
  switch (kind) {
    case "429":
      return {
        status: 429,
        body: { error: { message: "Rate limit reached.", code: "rate_limit_exceeded" } },
        headers: { "retry-after": String(retryAfter) },
      };
    case "500":
      return { status: 500, body: { error: { message: "The server had an error." } } };
    case "hang":
    case "reset":
    case "reset-mid-body":
      return { ...sound, fault: kind };
    case "malformed":
      return { body: JSON.stringify(sound.body).slice(0, -20) };
    case "no-choices":
      return { body: { ...(sound.body as object), choices: [] } };
    case "empty":
      return details({});
    case "refusal":
      return details({ refusal: "I cannot help with that." });
    case "content-filter":
      return details({ finish_reason: "content_filter" });
  }
}

/** Replies of which a part are faults: which ones depends on the request, the attempt and the seed alone. */
export function createFaultyReplies(options: FaultyReplyOptions): FaultyReplies {
  const { rate, kinds = faultKinds, seed = 0, latencyMs = 0, retryAfterSeconds = 1, countTokens } = options;
  const attempts = new Map<string, number>();
  const faulty: FaultyReplies = {
    completed: new Map(),
    faults: {},
    usage: { prompt_tokens: 0, completion_tokens: 0 },
    async reply(body, index) {
      const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
      const attempt = attempts.get(hash) ?? 0;
      attempts.set(hash, attempt + 1);
      const draw = (text: string): number =>
        createHash("sha256").update(`${seed} ${hash} ${text}`).digest().readUInt32BE() / 2 ** 32;
      const kindOf = (nth: number): FaultKind | undefined =>
        draw(`fault ${nth}`) < rate ? kinds[Math.floor(draw(`kind ${nth}`) * kinds.length)] : undefined;
      const first = kindOf(0);
      const met = first && !PASSING.has(first) ? first : kindOf(attempt);
      // What is the model's own reply does not come and go with the attempts.
      const kind = attempt > 0 && met && !PASSING.has(met) && met !== first ? undefined : met;
      if (latencyMs > 0) await wait(latencyMs);
      const sound = completionReply(body, options.reply(body), index, countTokens ? { countTokens } : {});
      const result = kind ? faultyReply(kind, sound, body, index, retryAfterSeconds) : sound;
      if (kind) faulty.faults[kind] = (faulty.faults[kind] ?? 0) + 1;
      if (kind && PASSING.has(kind)) return result;
      faulty.completed.set(hash, [...(faulty.completed.get(hash) ?? []), Date.now()]);
      const { usage } = result.body as { usage: FaultyReplies["usage"] };
      faulty.usage.prompt_tokens += usage.prompt_tokens;
      faulty.usage.completion_tokens += usage.completion_tokens;
      return result;
    },
  };
  return faulty;
}
