import type { ChatRequest, RawReply } from "@rag-ft/test-utils";

export const QUESTION_MODEL = "gpt-3.5-turbo";
export const ANSWER_MODEL = "gpt-4-1106-preview";

/** The heading of the passage that a prompt shows, such as `Sharing a cluster`. */
function headingIn(content: string): string {
  return [...content.matchAll(/\b(Creating|Sharing|Renaming|Monitoring) a (\w+)/g)].at(-1)?.[0] ?? "this guide";
}

/**
 * What the models of the flow's tests say: two questions of a passage, an answer, or the judge's verdicts in turn: correct,
 * incorrect, none at all, and a refused request whose message repeats `secret`.
 */
export function createFlowReplies(secret: string): (body: ChatRequest) => string | RawReply {
  let judged = 0;
  return ({ model, messages }) => {
    const content = messages.at(-1)?.content ?? "";
    const heading = headingIn(content);
    if (model === QUESTION_MODEL) {
      // The same at each request: a training question about a held-out passage is always a leak.
      return `Question 1: What happens when ${heading.toLowerCase()}?\nQuestion 2: Which menu serves for ${heading.toLowerCase()}?`;
    }
    if (model === ANSWER_MODEL) return `${heading} keeps its owner in the settings.`;
    const replies: (string | RawReply)[] = [
      "It says what the passage says.\nCorrectness: [[correct]]",
      "It leaves the question open.\nCorrectness: [[incorrect]]",
      "I cannot tell.",
      { status: 400, body: { error: { message: `The key ${secret} may not judge.` } } },
    ];
    return replies[judged++ % replies.length] ?? "";
  };
}
