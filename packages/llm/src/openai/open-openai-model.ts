import { formatSeconds, type Reporter, UserError } from "@rag-ft/core";
import type OpenAI from "openai";
import { APIError } from "openai";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import type { OpenLanguageModelOptions } from "../open-language-model-options.js";
import { createMinuteBudget } from "../requests/minute-budget.js";
import { DEFAULT_RETRIES } from "../requests/request-settings.js";
import { createRequestTally, type RequestTally } from "../requests/request-tally.js";
import { createRequestQueue } from "../requests/with-retries.js";
import { countTokens, promptBound } from "../tokens/count-tokens.js";
import { describeError, isSurelyUnbilled } from "./describe-error.js";
import { connect, readReply, requestBody, type Server } from "./server.js";
import { streamReply } from "./stream-reply.js";

export type OpenAiModelOptions = Pick<OpenLanguageModelOptions, "env" | "requests" | "tally"> & {
  reporter?: Pick<Reporter, "warn">;
};

/**
 * One attempt, from the request to the last byte of the reply within `timeout_ms`. A stop on request does not cut it off: it is
 * paid for, so its reply is waited for and stored. One that is read piece by piece is cut off: nobody reads on.
 */
async function attemptOnce(
  server: Server,
  body: OpenAI.ChatCompletionCreateParamsNonStreaming,
  request: CompletionOptions,
): Promise<Completion> {
  const { timeout_ms, onText } = request;
  const controller = new AbortController();
  let timedOut = false;
  // The SDK's own limit ends with the headers; a body may hang, too.
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeout_ms);
  const limits = { timeout: timeout_ms * 2, signal: controller.signal };
  try {
    if (onText) return await streamReply(server, body, { ...request, onText }, limits);
    return readReply(await server.client.chat.completions.create(body, limits), server);
  } catch (error) {
    throw describeError(error, server, timedOut);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the server refused the JSON schema, and not the request for what it says. */
function refusesSchema(error: unknown): boolean {
  return (
    error instanceof APIError &&
    (error.status === 400 || error.status === 422 || error.status === 501) &&
    /response_format|json_schema|structured output/i.test(`${error.param ?? ""} ${error.message}`)
  );
}

/** With the reply's schema, unless the server has refused one: then, for good, without. */
async function attemptOrWithoutSchema(
  server: Server,
  messages: readonly ChatMessage[],
  request: CompletionOptions,
  tally: RequestTally,
): Promise<Completion> {
  const asked = request.schema !== undefined && server.structured;
  try {
    const completion = await attemptOnce(server, requestBody(server, messages, request), request);
    if (asked) tally.structured(true);
    return completion;
  } catch (error) {
    if (!asked || !(error instanceof Error) || !refusesSchema(error.cause)) throw error;
    server.structured = false;
    tally.structured(false);
    return attemptOnce(server, requestBody(server, messages, request), request);
  }
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
  const tally = options.tally ?? createRequestTally();
  const { bill } = tally;
  bill?.check(name);
  const queue = createRequestQueue({
    max_retries,
    budget: createMinuteBudget(limits),
    tally,
    onLongWait: (ms) =>
      options.reporter?.warn(
        `${server.where} asks to wait ${formatSeconds(ms / 1000)}. Ctrl-C stops; the same command goes on later, finished completions are kept.`,
      ),
  });
  const complete = async (messages: readonly ChatMessage[], request: CompletionOptions): Promise<Completion> => {
    // Counting takes time: only where somebody wants to know.
    const estimate = tokens_per_minute === undefined && !bill ? undefined : await countTokens(messages);
    const bound = {
      prompt_tokens: promptBound(name, messages, estimate ?? 0, request.schema),
      completion_tokens: request.max_new_tokens,
    };
    return queue.run(
      async (spending) => {
        const item = await bill?.open(name, bound);
        try {
          const completion = await attemptOrWithoutSchema(server, messages, request, tally);
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
