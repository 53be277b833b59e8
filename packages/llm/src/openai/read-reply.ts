import { CompletionError } from "../completion-error.js";
import type { Completion, CompletionUsage } from "../language-model.js";
import type { Asked } from "./describe-error.js";

// Servers that speak "the OpenAI API" differ in all that is not the plain case: what is read here is what they really send.

type Loose = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of `content`: a string, or a list of parts of which those of thoughts go (Mistral's reasoning models). */
function contentText(content: unknown): { text: string; thought: boolean } {
  if (typeof content === "string") return { text: content, thought: false };
  const parts = Array.isArray(content) ? content : isObject(content) ? [content] : [];
  let thought = false;
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    if (!isObject(part)) return "";
    if (/think|reason/i.test(String(part.type ?? ""))) {
      thought = true;
      return "";
    }
    return typeof part.text === "string" ? part.text : "";
  });
  return { text: texts.join(""), thought };
}

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

/** What a server says in the place of choices, with status 200 (OpenRouter's "Provider returned error"). */
function errorInBody(reply: Loose): string {
  const { error } = reply;
  const message = isObject(error) ? error.message : error;
  return typeof message === "string" && message !== "" ? `: ${message.slice(0, 500)}` : "";
}

/** @throws CompletionError when the reply holds no choice. */
export function readReply(reply: unknown, { name, where }: Asked): Completion {
  const body = isObject(reply) ? reply : {};
  const choice: unknown = Array.isArray(body.choices) ? body.choices[0] : undefined;
  if (!isObject(choice))
    throw new CompletionError(`${where}: the reply of "${name}" holds no choice${errorInBody(body)}.`, {
      kind: "no_choice",
      retry: {},
    });
  const message = isObject(choice.message) ? choice.message : {};
  // Some servers answer a chat as if it were a text completion.
  const { text, thought } = contentText(message.content ?? choice.text);
  const apart = [message.reasoning_content, message.reasoning, message.thinking].some(
    (value) => typeof value === "string" && value.trim() !== "",
  );
  const { refusal } = message;
  const usage = readUsage(body.usage);
  return {
    text,
    finish_reason: typeof choice.finish_reason === "string" ? choice.finish_reason : "stop",
    ...(typeof refusal === "string" && refusal.trim() !== "" ? { refusal } : {}),
    ...(thought || apart ? { thought: true } : {}),
    ...(usage ? { usage } : {}),
  };
}
