import type { ChatTurn } from "@rag-ft/core";
import { z } from "zod";
import type { AskedTurn } from "../answers/answers.js";
import { Refusal } from "../refusal.js";

const content = z.union([z.string(), z.array(z.looseObject({ type: z.literal("text"), text: z.string() }))], {
  error: "expected a text, or a list of parts of type text: this server reads no others",
});

/** `POST /v1/chat/completions`, as far as it has a meaning here. */
export const chatRequestSchema = z.looseObject({
  model: z.string(),
  messages: z
    .array(z.looseObject({ role: z.enum(["system", "developer", "user", "assistant"]), content: content.nullish() }))
    .min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  n: z.number().nullish(),
  tools: z.array(z.unknown()).nullish(),
  functions: z.array(z.unknown()).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  /** As OpenAI has it: whether the exchange may be kept. */
  store: z.boolean().nullish(),
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;

function textOf(value: z.infer<typeof content> | null | undefined): string {
  if (typeof value === "string") return value;
  return (value ?? []).map(({ text }) => text).join("\n");
}

/** What OpenAI's protocol has further, and would change an answer. */
const LEFT_OUT = ["top_p", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"] as const;

export interface ReadChatRequest {
  asked: AskedTurn;
  /** What the request has and this server leaves out: said in the reply. */
  warnings: string[];
}

/**
 * The question and its dialogue. An answer is as long as the request or the server's own limit allows, whichever is less.
 *
 * @throws Refusal where the request asks for what this server does not do.
 */
export function readChatRequest(request: ChatRequest, mostTokens: number): ReadChatRequest {
  if ((request.n ?? 1) !== 1) throw new Refusal(400, "unsupported", "n: one answer is made a request.");
  for (const name of ["tools", "functions"] as const) {
    if (request[name]?.length)
      throw new Refusal(400, "unsupported", `${name}: this server answers from its passages, and calls none.`);
  }
  if ((request.response_format?.type ?? "text") !== "text")
    throw new Refusal(400, "unsupported", "response_format: answers are text here.");
  const turns = request.messages.map(({ role, content }) => ({ role, text: textOf(content) }));
  const last = turns.at(-1);
  if (last?.role !== "user" || last.text.trim() === "") {
    throw new Refusal(400, "invalid_request", "messages: the last one is the question: role user, with text.");
  }
  const instructions = turns.filter(({ role }) => role === "system" || role === "developer");
  const history = turns
    .slice(0, -1)
    .flatMap(({ role, text }): ChatTurn[] =>
      role === "user" || role === "assistant" ? [{ speaker: role, message: text }] : [],
    );
  const stop = [request.stop ?? []].flat().filter((end) => end !== "");
  const wanted = request.max_completion_tokens ?? request.max_tokens;
  return {
    asked: {
      question: last.text.trim(),
      history,
      ...(wanted ? { max_new_tokens: Math.min(wanted, mostTokens) } : {}),
      ...(typeof request.temperature === "number" ? { temperature: request.temperature } : {}),
      ...(stop.length > 0 ? { stop } : {}),
    },
    warnings: [
      ...(instructions.length > 0
        ? [
            "messages of role system are left out: the instruction is the one that the system was opened with (--system_text)",
          ]
        : []),
      ...LEFT_OUT.filter((name) => ![undefined, null, false].includes(request[name] as undefined)).map(
        (name) => `${name} is left out: this server has no such setting`,
      ),
    ],
  };
}
