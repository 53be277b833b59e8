import { CompletionError } from "../completion-error.js";
import type { Completion } from "../language-model.js";
import { withoutThinking } from "./without-thinking.js";

/** A reply as every stage reads it: without the model's thoughts. The store keeps it as it came. */
export function readCompletion(completion: Completion): Completion & { unfinished: boolean } {
  const { text, unfinished } = withoutThinking(completion.text);
  return { ...completion, text, unfinished };
}

/**
 * A reply that holds text, without the model's thoughts: one that was cut (`finish_reason: length`) passes, the caller decides about it.
 *
 * @throws CompletionError for a refusal, for what a filter held back, and for an empty reply.
 */
export function checkReply(completion: Completion, name: string): Completion {
  const { unfinished, ...read } = readCompletion(completion);
  const { text, finish_reason, refusal } = read;
  if (refusal !== undefined) throw new CompletionError(`"${name}" refused: ${refusal}`, { kind: "refusal" });
  if (finish_reason === "content_filter")
    throw new CompletionError(`a content filter held the reply of "${name}" back`, { kind: "content_filter" });
  if (unfinished || (text.trim() === "" && completion.thought))
    throw new CompletionError(
      `the reply of "${name}" ${unfinished || finish_reason === "length" ? "was cut while the model was thinking" : "holds only the model's thoughts"}: give more --max_new_tokens, or turn its thinking off at the server`,
      { kind: "truncated" },
    );
  if (text.trim() === "")
    throw new CompletionError(`the reply of "${name}" holds no text (finish_reason: ${finish_reason})`, {
      kind: finish_reason === "length" ? "truncated" : "empty",
    });
  return read;
}
