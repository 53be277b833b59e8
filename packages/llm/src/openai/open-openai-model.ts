import { UserError } from "@rag-ft/core";
import OpenAI from "openai";
import { CompletionError } from "../completion-error.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import type { OpenLanguageModelOptions } from "../open-language-model.js";
import { createMinuteBudget } from "../requests/minute-budget.js";
import { DEFAULT_RETRIES } from "../requests/request-settings.js";
import { createRequestTally } from "../requests/request-tally.js";
import { createRequestQueue } from "../requests/with-retries.js";
import { countTokens, promptBound } from "../tokens/count-tokens.js";
import { type Asked, describeError } from "./describe-error.js";

/** Servers that need no key still want the header. */
const PLACEHOLDER_KEY = "not-needed";

export type OpenAiModelOptions = Pick<OpenLanguageModelOptions, "env" | "requests" | "tally">;

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

interface Server extends Asked {
  client: OpenAI;
  /** Not OpenAI itself. */
  compatible: boolean;
}

function connect(name: string, env: OpenAiModelOptions["env"]): Server {
  const baseURL = env.OPENAI_BASE_URL || undefined;
  const key = env.OPENAI_API_KEY || (baseURL ? PLACEHOLDER_KEY : undefined);
  if (!key) {
    throw new UserError(
      `The model "${name}" is asked over the OpenAI API, but OPENAI_API_KEY is not set. Set it, or set OPENAI_BASE_URL for a compatible server, or name a local model (local:<folder or hub id>), or use "extractive".`,
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
  return { name, where, key, client, compatible: baseURL !== undefined };
}

/** The body of a chat request. */
function requestBody(
  { name, compatible }: Pick<Server, "name" | "compatible">,
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
  };
}

function readReply(reply: OpenAI.ChatCompletion, { name, where }: Asked): Completion {
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

/** One attempt, from the request to the last byte of the reply within `timeout_ms`. */
async function attemptOnce(
  server: Server,
  body: OpenAI.ChatCompletionCreateParamsNonStreaming,
  { timeout_ms, signal }: CompletionOptions,
): Promise<Completion> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  let timedOut = false;
  // The SDK's own limit ends with the headers; a body may hang, too.
  const timer = setTimeout(() => {
    timedOut = true;
    abort();
  }, timeout_ms);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const reply = await server.client.chat.completions.create(body, {
      timeout: timeout_ms * 2,
      signal: controller.signal,
    });
    return readReply(reply, server);
  } catch (error) {
    throw describeError(error, server, timedOut);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** The server answered with an error: such requests are not billed. */
function isSurelyUnbilled(error: unknown): boolean {
  if (error instanceof CompletionError) return ["rate_limit", "server_error", "rejected"].includes(error.kind);
  return error instanceof UserError;
}

/** A model behind the OpenAI API, or behind any server that speaks it (`OPENAI_BASE_URL`). */
export function openOpenAiModel(name: string, options: OpenAiModelOptions): LanguageModel {
  const server = connect(name, options.env);
  const { requests_per_minute, tokens_per_minute, max_retries = DEFAULT_RETRIES } = options.requests ?? {};
  const limits = {
    ...(requests_per_minute === undefined ? {} : { requests: requests_per_minute }),
    ...(tokens_per_minute === undefined ? {} : { tokens: tokens_per_minute }),
  };
  if (options.requests?.dry_run) throw new UserError("A dry run sends no request; give the command without --dry_run.");
  const bill = options.tally?.bill;
  bill?.check(name);
  const queue = createRequestQueue({
    max_retries,
    budget: createMinuteBudget(limits),
    tally: options.tally ?? createRequestTally(),
  });
  const complete = async (messages: readonly ChatMessage[], request: CompletionOptions): Promise<Completion> => {
    const body = requestBody(server, messages, request);
    // Counting takes time: only where somebody wants to know.
    const estimate = tokens_per_minute === undefined && !bill ? undefined : await countTokens(messages);
    const bound = {
      prompt_tokens: promptBound(name, messages, estimate ?? 0),
      completion_tokens: request.max_new_tokens,
    };
    return queue.run(
      async (spending) => {
        const item = await bill?.open(name, bound);
        try {
          const completion = await attemptOnce(server, body, request);
          const { usage } = completion;
          if (usage) spending.tokens = usage.prompt_tokens + usage.completion_tokens;
          const billed = item?.paid(usage, estimate);
          return billed ? { ...completion, billed } : completion;
        } catch (error) {
          if (isSurelyUnbilled(error)) item?.refused();
          else item?.unknown();
          throw error;
        }
      },
      { tokens: (estimate ?? 0) + request.max_new_tokens, signal: request.signal },
    );
  };
  return { name, provider: "openai", complete, close: async () => {} };
}
