import { randomUUID } from "node:crypto";
import { type AnswerEvent, type FoundPassage, type SystemAnswer, sourceData } from "@rag-ft/answer";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { type AskedTurn, answerInTurn, wholeAnswer } from "../answers/answers.js";
import { clientOf } from "../client-of.js";
import { jsonBody } from "../json-body.js";
import { refusalBody, refusalOf } from "../refusal.js";
import type { ServerParts } from "../server-parts.js";
import { NotKept, type TurnLog } from "../turns/turn-log.js";
import { chatRequestSchema, readChatRequest } from "./chat-request.js";
import { requireModel } from "./models.js";

/** A comment line is sent so often while a client waits for its turn, that proxies keep the connection. */
const STILL_HERE_MS = 15_000;

export interface ChatCompletionParts extends ServerParts {
  log: TurnLog;
  mostTokens: number;
}

/** One completion while it is answered. */
interface Exchange {
  id: string;
  created: number;
  model: string;
  asked: AskedTurn;
  warnings: string[];
  events: AsyncIterable<AnswerEvent>;
  store: boolean;
  startedAt: number;
}

function usageOf({ usage }: SystemAnswer): object | undefined {
  if (!usage) return undefined;
  return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
}

const finishReason = ({ finish_reason }: SystemAnswer): string => (finish_reason === "length" ? "length" : "stop");

/** Events as the answer's first piece and end are measured. */
async function* measured({ metrics }: ServerParts, { events, startedAt }: Exchange): AsyncGenerator<AnswerEvent> {
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  let first = true;
  for await (const event of events) {
    if (event.type !== "passages" && first) {
      metrics.firstPiece.observe(seconds());
      first = false;
    }
    if (event.type === "answer") metrics.answer.observe(seconds());
    yield event;
  }
}

/**
 * Remembers a turn, so that it can be voted on, and keeps it where the client wants that. An answer is given also where it could not be kept.
 *
 * @returns What the client is to be told of it.
 */
async function remember(parts: ChatCompletionParts, exchange: Exchange, answer: SystemAnswer): Promise<string[]> {
  const { id, asked, created, store } = exchange;
  const turn = {
    id,
    time: new Date(created * 1000).toISOString(),
    question: asked.question,
    history: asked.history,
    answer,
  };
  parts.turns.add(turn);
  if (!store) return [];
  try {
    await parts.log.keep(turn);
    return [];
  } catch (error) {
    if (!(error instanceof NotKept)) throw error;
    parts.reporter.warn(`${id}: ${error.message} ${error.cause.message}`);
    return [`store: ${error.message}`];
  }
}

/** What a client is told of a dialogue that the prompt had no room for. */
function shortened({ dropped_turns: dropped = 0 }: SystemAnswer): string[] {
  return dropped > 0 ? [`messages: the oldest ${dropped} had no room in the prompt`] : [];
}

const sources = (passages: readonly FoundPassage[]): object[] => passages.map(sourceData);

async function whole(context: Context, parts: ChatCompletionParts, exchange: Exchange): Promise<Response> {
  const answer = await wholeAnswer(measured(parts, exchange));
  const { id, created, model } = exchange;
  const warnings = [...exchange.warnings, ...shortened(answer), ...(await remember(parts, exchange, answer))];
  const message = { role: "assistant", content: answer.text, refusal: null };
  return context.json({
    id,
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer) }],
    usage: usageOf(answer),
    sources: sources(answer.passages),
    query: answer.query,
    ...(warnings.length > 0 ? { warnings } : {}),
  });
}

/** The same as server-sent events: sources with the first chunk, the last before `[DONE]` has the reason why it ended. */
function streamed(
  context: Context,
  parts: ChatCompletionParts,
  exchange: Exchange,
  left: AbortController,
  usage: boolean,
): Response {
  const { id, created, model, warnings } = exchange;
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => left.abort());
    const write = (value: object): Promise<void> => stream.writeSSE({ data: JSON.stringify(value) });
    const chunk = (delta: object, finish_reason: string | null = null, more: object = {}): Promise<void> =>
      write({
        id,
        object: "chat.completion.chunk",
        created,
        model,
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
        ...more,
      });
    const stillHere = setInterval(() => void stream.write(": waiting\n\n"), STILL_HERE_MS);
    try {
      for await (const event of measured(parts, exchange)) {
        if (event.type === "passages") {
          const more = {
            sources: sources(event.passages),
            query: event.query,
            ...(warnings.length > 0 ? { warnings } : {}),
          };
          await chunk({ role: "assistant", content: "" }, null, more);
        } else if (event.type === "text") await chunk({ content: event.text });
        else {
          const late = [...shortened(event.answer), ...(await remember(parts, exchange, event.answer))];
          await chunk({}, finishReason(event.answer), late.length > 0 ? { warnings: late } : {});
          const counted = usageOf(event.answer);
          if (usage && counted) {
            await write({ id, object: "chat.completion.chunk", created, model, choices: [], usage: counted });
          }
        }
      }
    } catch (error) {
      // The status has been sent: what went wrong stands in the stream, as OpenAI's servers do it.
      const refusal = refusalOf(error);
      if (!left.signal.aborted && refusal.status !== 503) parts.reporter.warn(`${id}: ${String(error)}`);
      await write(refusalBody(refusal));
    } finally {
      clearInterval(stillHere);
    }
    await stream.writeSSE({ data: "[DONE]" });
  });
}

/** `POST /v1/chat/completions`. */
export function chatCompletions(parts: ChatCompletionParts) {
  return async (context: Context): Promise<Response> => {
    const request = await jsonBody(context, chatRequestSchema);
    requireModel(request.model, [parts.names.generator]);
    const { asked, warnings } = readChatRequest(request, parts.mostTokens);
    const left = new AbortController();
    const signal = AbortSignal.any([context.req.raw.signal, left.signal, AbortSignal.timeout(parts.requestMs)]);
    const startedAt = performance.now();
    const asker = { client: clientOf(context), signal };
    const exchange: Exchange = {
      id: `chatcmpl-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: parts.names.generator,
      asked,
      warnings,
      store: request.store === true,
      startedAt,
      events: answerInTurn(parts.system(), parts.queue, asked, asker),
    };
    if (request.stream !== true) return whole(context, parts, exchange);
    return streamed(context, parts, exchange, left, request.stream_options?.include_usage === true);
  };
}
