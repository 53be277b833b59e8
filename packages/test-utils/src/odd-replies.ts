import { type ChatRequest, completionReply } from "./openai-server.js";
import type { RawReply } from "./raw-reply.js";

type Body = ChatRequest & Record<string, unknown>;

/** A well-formed completion with parts of it exchanged. */
function changed(body: Body, text: string, more: { message?: object; choice?: object; reply?: object }): RawReply {
  const { body: reply } = completionReply(body, text, 0) as { body: { choices: [{ message: object }] } };
  const [choice] = reply.choices;
  const message = { ...choice.message, ...more.message };
  return { body: { ...reply, choices: [{ ...choice, message, ...more.choice }], ...more.reply } };
}

const withMessage =
  (message: object, choice: object = {}) =>
  (body: Body, text: string) =>
    changed(body, text, { message, choice });
const withUsage = (usage: unknown) => (body: Body, text: string) => changed(body, text, { reply: { usage } });

/**
 * Replies as real servers give them, by what is odd about them. `text` is what the model says; each kind holds it, unless its name says
 * otherwise.
 */
export const oddReplies = {
  think_closed: (body: Body, text: string) =>
    completionReply(body, `<think>\nShould I?\n1. No?\n</think>\n\n${text}`, 0),
  think_only_closed: (body: Body, text: string) =>
    completionReply(body, `Let me see. Should I?\n</think>\n\n${text}`, 0),
  think_brackets: (body: Body, text: string) => completionReply(body, `[THINK]Should I?[/THINK]${text}`, 0),
  think_harmony: (body: Body, text: string) =>
    completionReply(
      body,
      `<|channel|>analysis<|message|>Should I?<|end|><|start|>assistant<|channel|>final<|message|>${text}<|return|>`,
      0,
    ),
  reasoning_apart: withMessage({ reasoning_content: "Should I?", tool_calls: [], annotations: null }),
  content_parts: (body: Body, text: string) =>
    withMessage({
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "Should I?" }] },
        { type: "text", text },
      ],
    })(body, text),
  output_text: (body: Body, text: string) => withMessage({ content: [{ type: "output_text", text }] })(body, text),
  plain_text: (body: Body, text: string) => ({
    body: JSON.stringify(completionReply(body, text, 0).body),
    headers: { "content-type": "text/plain" },
  }),
  text_completion: (body: Body, text: string) => changed(body, text, { choice: { message: undefined, text } }),
  always_streamed: (_: Body, text: string) => {
    const event = (delta: object, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    const half = Math.floor(text.length / 2);
    const texts = [text.slice(0, half), text.slice(half)].map((content) => event({ content })).join("");
    return { body: `${texts}${event({}, "stop")}data: [DONE]\n\n`, headers: { "content-type": "text/event-stream" } };
  },
  refusal_empty: withMessage({ refusal: "" }),
  refusal_false: withMessage({ refusal: false }),
  finish_null: withMessage({}, { finish_reason: null }),
  usage_empty: withUsage({}),
  usage_null: withUsage(null),
  usage_total: withUsage({ total_tokens: 12 }),
  usage_half: withUsage({ prompt_tokens: null, completion_tokens: 5, total_tokens: 5 }),
  usage_text: withUsage({ prompt_tokens: "100", completion_tokens: "5", total_tokens: "105" }),
  usage_negative: withUsage({ prompt_tokens: -1, completion_tokens: 2 }),
} as const satisfies Record<string, (body: Body, text: string) => RawReply>;

export type OddReply = keyof typeof oddReplies;

/** A server that refuses a parameter, in the words and the form of a real one. `refuses` looks at the request. */
interface OddRefusal {
  refuses(body: Body): boolean;
  status: number;
  body: unknown;
}

const vllm = (message: string): object => ({
  object: "error",
  message,
  type: "BadRequestError",
  param: null,
  code: 400,
});
const extra = (name: string): object => ({
  type: "extra_forbidden",
  loc: ["body", name],
  msg: "Extra inputs are not permitted",
});
const has = (key: string) => (body: Body) => key in body;

/** Parameters that servers refuse, each with what the server says. */
export const oddRefusals = {
  max_tokens: {
    refuses: has("max_tokens"),
    status: 400,
    body: {
      error: {
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param: "max_tokens",
        code: "unsupported_parameter",
      },
    },
  },
  max_completion_tokens: {
    refuses: has("max_completion_tokens"),
    status: 422,
    body: { detail: [extra("max_completion_tokens")] },
  },
  temperature: {
    refuses: ({ temperature = 1 }) => temperature !== 1,
    status: 400,
    body: {
      error: {
        message:
          "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        param: "temperature",
        code: "unsupported_value",
      },
    },
  },
  seed_mistral: {
    refuses: has("seed"),
    status: 422,
    body: {
      object: "error",
      message: { detail: [extra("seed")] },
      type: "invalid_request_error",
      param: null,
      code: null,
    },
  },
  stop: {
    refuses: has("stop"),
    status: 400,
    body: { error: { message: "Unrecognized request argument supplied: stop" } },
  },
  system_vllm: {
    refuses: ({ messages }) => messages.some(({ role }) => role === "system"),
    status: 400,
    body: vllm("System role not supported"),
  },
  schema_vllm: {
    refuses: has("response_format"),
    status: 400,
    body: vllm("response_format json_schema is not supported by this server"),
  },
  schema_fastapi: {
    refuses: has("response_format"),
    status: 422,
    body: {
      detail: [
        {
          type: "literal_error",
          loc: ["body", "response_format", "type"],
          msg: "Input should be 'text' or 'json_object'",
        },
      ],
    },
  },
  schema_text: {
    refuses: has("response_format"),
    status: 400,
    body: { error: "json: cannot unmarshal object into Go struct field .format of type string" },
  },
  stream_usage: {
    refuses: has("stream_options"),
    status: 400,
    body: { message: "Unknown parameter: stream_options" },
  },
  stream: {
    refuses: has("stream"),
    status: 400,
    body: { error: { message: "Streaming is not supported with this model.", param: "stream" } },
  },
} as const satisfies Record<string, OddRefusal>;

export type OddRefusalName = keyof typeof oddRefusals;

/** The refusal of one of these servers; undefined where it takes the request. */
export function oddRefusal(name: OddRefusalName, body: ChatRequest): RawReply | undefined {
  const { refuses, ...reply }: OddRefusal = oddRefusals[name];
  return refuses(body as Body) ? reply : undefined;
}
