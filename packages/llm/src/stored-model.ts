import type { CompletionStore } from "./completion-store.js";
import { completionKey } from "./completion-store.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "./language-model.js";
import { checkReply } from "./replies/check-reply.js";
import { createRequestTally, type RequestTally } from "./requests/request-tally.js";

export interface StoredModel {
  /**
   * `occurrence` numbers identical requests of one run, by the caller's order (never by time of arrival). A reply that
   * cannot be used (empty, refused, filtered) is stored all the same, since it was paid for, and throws `CompletionError`.
   */
  complete(messages: readonly ChatMessage[], options: CompletionOptions, occurrence?: number): Promise<Completion>;
  /** What happened to the requests. */
  readonly tally: RequestTally;
}

/** A model that answers from the store what was answered before, and stores each new completion when it arrives. */
export function withStore(
  model: LanguageModel,
  store: CompletionStore,
  tally: RequestTally = createRequestTally(),
): StoredModel {
  return {
    tally,
    async complete(messages, options, occurrence = 0) {
      const key = completionKey(model.name, messages, options, occurrence);
      const stored = store.get(key);
      if (stored) {
        tally.reused();
        return checkReply(stored, model.name);
      }
      tally.sent();
      const completion = await model.complete(messages, options);
      tally.used(completion.usage);
      await store.put(key, completion);
      return checkReply(completion, model.name);
    },
  };
}
