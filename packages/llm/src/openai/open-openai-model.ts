import type OpenAI from "openai";
import { cutAtStop } from "../cut-at-stop.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import type { RequestTally } from "../requests/request-tally.js";
import { countTokens, promptBound } from "../tokens/count-tokens.js";
import { DEFAULT_CONCURRENCY, type OpenAiModelOptions, openBilledRequests, openEndpoints } from "./billed-requests.js";
import { QUIRKS, quirkOf } from "./quirks.js";
import { readReply } from "./read-reply.js";
import { requestBody, type Server } from "./server.js";
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

/** The reply, cut at a stop string where the server was not told of any. */
function cutHere(completion: Completion, { quirks }: Server, { stop }: CompletionOptions): Completion {
  if (!quirks.no_stop || !stop?.length) return completion;
  const { text, found } = cutAtStop(completion.text, stop);
  return found ? { ...completion, text, finish_reason: "stop" } : completion;
}

/**
 * One attempt, in a form that the server takes: a parameter that it refuses is changed once and for good, and a line says so. Requests on
 * their way at the same time are sent again as the first of them has found out.
 */
async function attemptAdapted(
  server: Server,
  messages: readonly ChatMessage[],
  request: CompletionOptions,
  { tally, warn }: { tally: RequestTally; warn: ((line: string) => void) | undefined },
): Promise<Completion> {
  for (;;) {
    const known = { ...server.quirks };
    const body = requestBody(server, messages, request);
    try {
      const completion = await attemptOnce(server, body, request);
      if (request.schema !== undefined && "response_format" in body) tally.structured(true);
      return cutHere(completion, server, request);
    } catch (error) {
      const streamed = {
        ...(request.onText && !known.no_stream ? { stream: true } : {}),
        ...(request.onText && !known.no_stream && !known.no_stream_usage ? { stream_options: {} } : {}),
      };
      const quirk = error instanceof Error ? quirkOf(error.cause, { ...body, ...streamed }) : undefined;
      if (quirk === undefined || known[quirk]) throw error;
      if (server.quirks[quirk]) continue;
      server.quirks[quirk] = true;
      if (quirk === "no_schema") tally.structured(false);
      warn?.(`${server.where}: "${server.name}" takes ${QUIRKS[quirk]}; from now on it is asked so.`);
    }
  }
}

/** A model behind the OpenAI API, or behind any servers that speak it (`OPENAI_BASE_URL`, several between commas). */
export function openOpenAiModel(name: string, options: OpenAiModelOptions): LanguageModel {
  const endpoints = openEndpoints(name, options);
  const requests = openBilledRequests(endpoints, options);
  const warn = options.reporter && ((line: string): void => options.reporter?.warn(line));
  const complete = async (messages: readonly ChatMessage[], request: CompletionOptions): Promise<Completion> => {
    const estimate = requests.needsCount ? await countTokens(messages) : undefined;
    const bound = {
      prompt_tokens: promptBound(name, messages, estimate ?? 0, request.schema),
      completion_tokens: request.max_new_tokens,
    };
    const tokens = (estimate ?? 0) + request.max_new_tokens;
    return requests.send((server) => attemptAdapted(server, messages, request, { tally: requests.tally, warn }), {
      bound,
      estimate,
      tokens,
      signal: request.signal,
    });
  };
  const { length } = endpoints.servers;
  return {
    ...{ name, provider: "openai", complete, close: async () => {} },
    ...(length > 1 ? { concurrency: length * DEFAULT_CONCURRENCY } : {}),
  };
}
