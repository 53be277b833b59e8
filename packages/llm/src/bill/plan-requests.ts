import type { PlannedRequests } from "@rag-ft/core";
import { type CompletionStore, completionKey } from "../completion-store.js";
import type { ChatMessage, Completion, CompletionOptions } from "../language-model.js";
import { readCompletion } from "../replies/check-reply.js";
import { countTokens } from "../tokens/count-tokens.js";
import { costOf, noPrice, type Prices } from "./prices.js";

export interface PlanOptions {
  /** The stage, as its bill calls it. */
  stage: string;
  /** What the requests are for: `questions`, `answers`, `judge`. */
  purpose: string;
  model: string;
  /** What stands for the model in the store's keys; its name when left out. */
  identity?: string;
  /** Tokens of a typical reply, until there are stored ones to go by. */
  typicalReply: number;
  store: CompletionStore;
  prices: Prices;
  batch?: boolean;
}

/** Adds up requests that are not sent. */
export interface RequestPlan {
  /** Returns the reply of an earlier run; undefined when the request would be sent. */
  add(
    messages: readonly ChatMessage[],
    options: CompletionOptions,
    occurrence?: number,
  ): Promise<Completion | undefined>;
  result(): PlannedRequests;
}

interface Calibration {
  /** Prompt tokens by the server's count, for one of ours. */
  prompt: number;
  /** Tokens of a reply; undefined without stored ones. */
  reply: number | undefined;
  replies: number;
}

function calibrate({ store, stage, model }: PlanOptions): Calibration {
  const sums = { actual: 0, estimate: 0, replies: 0, tokens: 0 };
  for (const { billed, usage } of store.completions()) {
    if (!usage || billed?.by !== stage || billed.model !== model) continue;
    sums.replies++;
    sums.tokens += usage.completion_tokens;
    if (billed.estimate === undefined) continue;
    sums.actual += usage.prompt_tokens;
    sums.estimate += billed.estimate;
  }
  return {
    prompt: sums.estimate > 0 ? sums.actual / sums.estimate : 1,
    reply: sums.replies > 0 ? sums.tokens / sums.replies : undefined,
    replies: sums.replies,
  };
}

/** Prompts are counted, replies guessed: from those that the store holds of this stage and model, or else a typical length. */
export function planRequests(options: PlanOptions): RequestPlan {
  const { store, model, identity = model, prices, typicalReply, purpose, batch = false } = options;
  const calibration = calibrate(options);
  const counts = { requests: 0, from_store: 0, prompt: 0, completion: 0 };
  return {
    async add(messages, request, occurrence = 0) {
      const stored = store.get(completionKey(identity, messages, request, occurrence));
      if (stored) {
        counts.from_store++;
        return readCompletion(stored);
      }
      counts.requests++;
      counts.prompt += (await countTokens(messages)) * calibration.prompt;
      counts.completion += Math.min(calibration.reply ?? typicalReply, request.max_new_tokens);
      return undefined;
    },
    result() {
      const usage = { prompt_tokens: Math.round(counts.prompt), completion_tokens: Math.round(counts.completion) };
      const price = prices.of(model);
      const notes = [
        ...(price ? [] : [noPrice(model, prices)]),
        ...(/^(o\d|gpt-5)/.test(model) && calibration.reply === undefined
          ? [
              `"${model}" thinks before it answers, which is billed and not in this estimate until some replies are stored.`,
            ]
          : []),
      ];
      return {
        purpose,
        model,
        requests: counts.requests,
        from_store: counts.from_store,
        ...usage,
        ...(price ? { cost_usd: costOf(price, usage) * (batch ? prices.batch : 1) } : {}),
        notes,
      };
    },
  };
}
