import type OpenAI from "openai";
import { APIError } from "openai";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import type { RequestTally } from "../requests/request-tally.js";
import { countTokens, promptBound } from "../tokens/count-tokens.js";
import { type OpenAiModelOptions, openBilledRequests } from "./billed-requests.js";
import { connect, readReply, requestBody, type Server } from "./server.js";
import { streamReply } from "./stream-reply.js";
import { withinTime } from "./within-time.js";

/**
 * One attempt. A stop on request does not cut it off: it is paid for, so its reply is waited for and stored. One that is read piece
 * by piece is cut off: nobody reads on.
 */
function attemptOnce(
  server: Server,
  body: OpenAI.ChatCompletionCreateParamsNonStreaming,
  request: CompletionOptions,
): Promise<Completion> {
  const { timeout_ms, onText } = request;
  return withinTime(server, { timeout_ms }, async (limits) =>
    onText
      ? streamReply(server, body, { ...request, onText }, limits)
      : readReply(await server.client.chat.completions.create(body, limits), server),
  );
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
  const requests = openBilledRequests(server, options);
  const complete = async (messages: readonly ChatMessage[], request: CompletionOptions): Promise<Completion> => {
    const estimate = requests.needsCount ? await countTokens(messages) : undefined;
    const bound = {
      prompt_tokens: promptBound(name, messages, estimate ?? 0, request.schema),
      completion_tokens: request.max_new_tokens,
    };
    const tokens = (estimate ?? 0) + request.max_new_tokens;
    return requests.send(() => attemptOrWithoutSchema(server, messages, request, requests.tally), {
      bound,
      estimate,
      tokens,
      signal: request.signal,
    });
  };
  return { name, provider: "openai", complete, close: async () => {} };
}
