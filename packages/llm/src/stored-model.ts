import type { CompletionStore } from "./completion-store.js";
import { completionKey } from "./completion-store.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "./language-model.js";

export interface StoredModel {
  /** `occurrence` numbers identical requests of one run, by the caller's order (never by time of arrival). */
  complete(messages: readonly ChatMessage[], options: CompletionOptions, occurrence?: number): Promise<Completion>;
  /** Requests that were sent, and those answered from the store. */
  readonly counts: { sent: number; reused: number; prompt_tokens: number; completion_tokens: number };
}

/** A model that answers from the store what was answered before, and stores each new completion when it arrives. */
export function withStore(model: LanguageModel, store: CompletionStore): StoredModel {
  const counts = { sent: 0, reused: 0, prompt_tokens: 0, completion_tokens: 0 };
  return {
    counts,
    async complete(messages, options, occurrence = 0) {
      const key = completionKey(model.name, messages, options, occurrence);
      const stored = store.get(key);
      if (stored) {
        counts.reused++;
        return stored;
      }
      counts.sent++;
      const completion = await model.complete(messages, options);
      counts.prompt_tokens += completion.usage?.prompt_tokens ?? 0;
      counts.completion_tokens += completion.usage?.completion_tokens ?? 0;
      await store.put(key, completion);
      return completion;
    },
  };
}
