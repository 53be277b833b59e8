import { CompletionError } from "./completion-error.js";
import type { Completion } from "./language-model.js";

/**
 * A reply that holds text, as it came: one that was cut (`finish_reason: length`) passes, the caller decides about it.
 *
 * @throws CompletionError for a refusal, for what a filter held back, and for an empty reply.
 */
export function checkReply(completion: Completion, name: string): Completion {
  const { text, finish_reason, refusal } = completion;
  if (refusal !== undefined) throw new CompletionError(`"${name}" refused: ${refusal}`, { kind: "refusal" });
  if (finish_reason === "content_filter")
    throw new CompletionError(`a content filter held the reply of "${name}" back`, { kind: "content_filter" });
  if (text.trim() === "")
    throw new CompletionError(`the reply of "${name}" holds no text (finish_reason: ${finish_reason})`, {
      kind: finish_reason === "length" ? "truncated" : "empty",
    });
  return completion;
}
