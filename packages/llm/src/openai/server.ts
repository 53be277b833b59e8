import { UserError } from "@rag-ft/core";
import OpenAI from "openai";
import { CompletionError } from "../completion-error.js";
import type { ChatMessage, Completion, CompletionOptions } from "../language-model.js";
import type { Asked } from "./describe-error.js";

/** Servers that need no key still want the header. */
const PLACEHOLDER_KEY = "not-needed";

function isReasoningModel(name: string): boolean {
  return /^(o\d|gpt-5)/.test(name);
}

/**
 * The server's address for messages, without the key that a query may carry.
 *
 * @throws UserError for what no request can be sent to; the address itself is not repeated, as it may hold a password.
 */
function shownAddress(baseURL: string): string {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UserError(
      "OPENAI_BASE_URL is not an address. Expected http:// or https://, usually with /v1 at the end.",
    );
  if (url.username || url.password)
    throw new UserError(
      "OPENAI_BASE_URL carries a user name or password, which requests cannot. Take it out and set OPENAI_API_KEY.",
    );
  return `${url.origin}${url.pathname}`;
}

/** A model behind an address. */
export interface Server extends Asked {
  client: OpenAI;
  /** Not OpenAI itself. */
  compatible: boolean;
  /** False once the server has refused a JSON schema. */
  structured: boolean;
}

/**
 * `instead`: what the user may do without an API.
 *
 * @throws UserError when there is no key, or no usable address.
 */
export function connect(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  instead = `name a local model (local:<folder or hub id>), or use "extractive"`,
): Server {
  const baseURL = env.OPENAI_BASE_URL || undefined;
  const key = env.OPENAI_API_KEY || (baseURL ? PLACEHOLDER_KEY : undefined);
  if (!key) {
    throw new UserError(
      `The model "${name}" is asked over the OpenAI API, but OPENAI_API_KEY is not set. Set it, or set OPENAI_BASE_URL for a compatible server, or ${instead}.`,
    );
  }
  const where = baseURL ? shownAddress(baseURL) : "the OpenAI API";
  // Organisation and project are given as null where unset, so that the SDK does not read the process's environment.
  const client = new OpenAI({
    apiKey: key,
    baseURL: baseURL ?? "https://api.openai.com/v1",
    organization: env.OPENAI_ORG_ID ?? null,
    project: env.OPENAI_PROJECT_ID ?? null,
    // Retries are ours: the SDK's own are not counted, do not cover a reply that breaks off, and keep to no budget.
    maxRetries: 0,
  });
  return { name, where, key, client, compatible: baseURL !== undefined, structured: true };
}

/** The body of a chat request. */
export function requestBody(
  { name, compatible, structured }: Pick<Server, "name" | "compatible" | "structured">,
  messages: readonly ChatMessage[],
  options: CompletionOptions,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  // OpenAI replaced max_tokens by max_completion_tokens; most compatible servers know only the former.
  const limit = compatible ? { max_tokens: options.max_new_tokens } : { max_completion_tokens: options.max_new_tokens };
  // Reasoning models refuse temperature and stop.
  const sampling = isReasoningModel(name)
    ? {}
    : { temperature: options.temperature, ...(options.stop?.length ? { stop: [...options.stop] } : {}) };
  return {
    model: name,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...limit,
    ...sampling,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.schema && structured
      ? {
          response_format: {
            type: "json_schema",
            json_schema: { ...options.schema, schema: { ...options.schema.schema }, strict: true },
          },
        }
      : {}),
  };
}

/** @throws CompletionError when the reply holds no choice. */
export function readReply(reply: OpenAI.ChatCompletion, { name, where }: Asked): Completion {
  const choice = reply?.choices?.[0];
  if (!choice)
    throw new CompletionError(`${where}: the reply of "${name}" holds no choice.`, { kind: "no_choice", retry: {} });
  const { refusal, content } = choice.message ?? {};
  return {
    text: typeof content === "string" ? content : "",
    finish_reason: choice.finish_reason ?? "stop",
    ...(refusal ? { refusal } : {}),
    ...(reply.usage
      ? { usage: { prompt_tokens: reply.usage.prompt_tokens, completion_tokens: reply.usage.completion_tokens } }
      : {}),
  };
}
