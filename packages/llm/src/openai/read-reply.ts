import { CompletionError } from "../completion-error.js";
import type { Completion, CompletionUsage } from "../language-model.js";
import { readEvents } from "./chunks.js";
import { contentText, isObject } from "./content-text.js";
import type { Asked } from "./describe-error.js";
import { messageOf } from "./error-body.js";

// Servers that speak "the OpenAI API" differ in all that is not the plain case: what is read here is what they really send.

/** A count of tokens; a string of digits counts, too. */
function tokens(value: unknown): number | undefined {
  const count = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** The usage where the server says both counts (or one and the sum); undefined otherwise: half a usage is none. */
export function readUsage(usage: unknown): CompletionUsage | undefined {
  if (!isObject(usage)) return undefined;
  const total = tokens(usage.total_tokens);
  const prompt = tokens(usage.prompt_tokens ?? usage.input_tokens);
  const completion = tokens(usage.completion_tokens ?? usage.output_tokens);
  const rest = (other: number | undefined): number | undefined =>
    total === undefined || other === undefined || total <= other ? undefined : total - other;
  const prompt_tokens = prompt ?? rest(completion);
  const completion_tokens = completion ?? rest(prompt);
  return prompt_tokens === undefined || completion_tokens === undefined
    ? undefined
    : { prompt_tokens, completion_tokens };
}

/** What a server says in the place of choices, with status 200 (OpenRouter's "Provider returned error", a page to log in, nothing). */
function saidInstead(reply: unknown): string {
  const message = messageOf(reply)?.trim().replace(/\s+/g, " ").slice(0, 500);
  if (message === undefined) return isObject(reply) && Object.keys(reply).length > 0 ? "" : ": it is empty";
  const isPage = message.startsWith("<");
  return `: ${message}${isPage ? " … A page instead of a reply: check OPENAI_BASE_URL (it usually ends in /v1)" : ""}`;
}

/** JSON that a server does not call so, and a stream that was not asked for: the SDK hands them on as text. */
function parsed(reply: unknown, asked: Asked): unknown {
  if (typeof reply !== "string") return reply;
  try {
    return JSON.parse(reply);
  } catch {
    return readEvents(reply, asked) ?? reply;
  }
}

/** @throws CompletionError when the reply holds no choice. */
export function readReply(reply: unknown, asked: Asked): Completion {
  const { name, where } = asked;
  const read = parsed(reply, asked);
  const body = isObject(read) ? read : {};
  const choice: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
  if (!isObject(choice))
    throw new CompletionError(`${where}: the reply of "${name}" holds no choice${saidInstead(read)}.`, {
      kind: "no_choice",
      retry: {},
    });
  const message = isObject(choice.message) ? choice.message : {};
  // Some servers answer a chat as if it were a text completion.
  const { text, thought, refusal: refusedPart } = contentText(message.content ?? choice.text);
  const apart = [message.reasoning_content, message.reasoning, message.thinking].some(
    (value) => typeof value === "string" && value.trim() !== "",
  );
  const refusal = message.refusal || refusedPart;
  const usage = readUsage(body.usage);
  return {
    text,
    finish_reason: typeof choice.finish_reason === "string" ? choice.finish_reason : "stop",
    ...(typeof refusal === "string" && refusal.trim() !== "" ? { refusal } : {}),
    ...(thought || apart ? { thought: true } : {}),
    ...(usage ? { usage } : {}),
  };
}
