import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { type BatchEndpointOptions, createBatchEndpoints, type ServedBatch } from "./batch-endpoints.js";
import type { RawReply } from "./raw-reply.js";

const chatRequestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1),
  temperature: z.number().optional(),
  max_tokens: z.number().optional(),
  max_completion_tokens: z.number().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  seed: z.number().optional(),
  stream: z.boolean().optional(),
});

/** Body of `POST /v1/chat/completions`. */
export type ChatRequest = z.infer<typeof chatRequestSchema>;

const embeddingRequestSchema = z.looseObject({ model: z.string(), input: z.array(z.string().min(1)).min(1).max(2048) });

/** Body of `POST /v1/embeddings`. */
export type EmbeddingRequest = z.infer<typeof embeddingRequestSchema>;

export interface RecordedRequest {
  method: string;
  path: string;
  /** What stands behind the question mark of the address; absent without one. */
  query?: string;
  authorization: string | undefined;
  /** Parsed body of a chat request; undefined for others. */
  body?: ChatRequest;
  /** Texts of a request for embeddings. */
  input?: string[];
  /** When the whole answer was handed to the system (milliseconds since 1970); undefined before, and for one that broke off. */
  finishedAt?: number;
}

/** A text becomes a well-formed completion, a `RawReply` is sent as given. `index` counts chat requests from 0. */
export type ReplyFunction = (body: ChatRequest, index: number) => string | RawReply | Promise<string | RawReply>;

export interface OpenAiServerOptions {
  reply: ReplyFunction;
  /** Key that `Authorization: Bearer …` must carry; any non-empty key when left out. */
  apiKey?: string;
  /** Model names that are served; every name when left out. */
  models?: readonly string[];
  /** Serves embeddings, too: one vector a text, or a `RawReply` as given. `index` counts requests for embeddings from 0. */
  embed?: (body: EmbeddingRequest, index: number) => number[][] | RawReply;
  /** Serves files and batches, too. */
  batch?: Omit<BatchEndpointOptions, "answer">;
}

export interface OpenAiServer {
  /** Base URL with `/v1`, for OPENAI_BASE_URL. */
  url: string;
  /** All requests, in order of arrival. */
  requests: RecordedRequest[];
  /** Batches that were made. */
  batches: ServedBatch[];
  close(): Promise<void>;
}

function errorReply(status: number, message: string, code: string): RawReply {
  return { status, body: { error: { message, type: "invalid_request_error", code } } };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, reply: RawReply): void {
  const text = typeof reply.body === "string" ? reply.body : (JSON.stringify(reply.body) ?? "");
  if (reply.fault === "hang") return;
  if (reply.fault === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(reply.status ?? 200, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(text)),
    ...reply.headers,
  });
  if (reply.fault === "reset-mid-body") {
    response.write(text.slice(0, text.length / 2), () => response.socket?.resetAndDestroy());
    return;
  }
  response.end(text);
}

export interface ReplyDetails {
  finish_reason?: string;
  refusal?: string;
  /** Tokens of a text; words when left out. */
  countTokens?: (text: string) => number;
}

/** Words stand in for tokens: enough for usage figures in tests. */
const countWords = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** A well-formed completion. */
export function completionReply(body: ChatRequest, text: string, index: number, more: ReplyDetails = {}): RawReply {
  const count = more.countTokens ?? countWords;
  const prompt = body.messages.reduce((sum, message) => sum + count(message.content), 0);
  const answer = count(text);
  return {
    body: {
      id: `chatcmpl-${index}`,
      object: "chat.completion",
      created: 0,
      model: body.model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text, ...(more.refusal ? { refusal: more.refusal } : {}) },
          finish_reason: more.finish_reason ?? "stop",
        },
      ],
      usage: { prompt_tokens: prompt, completion_tokens: answer, total_tokens: prompt + answer },
    },
  };
}

interface Completed {
  choices: { message: { content: string }; finish_reason: string }[];
  usage?: unknown;
}

/** The same completion as server-sent events, a word a chunk, the usage last; `undefined` for what is no completion. */
function streamedReply(reply: RawReply): RawReply | undefined {
  const { choices, usage } = (typeof reply.body === "object" ? reply.body : {}) as Partial<Completed>;
  const choice = choices?.[0];
  if (!choice || (reply.status ?? 200) !== 200) return undefined;
  const chunk = (delta: object, finish_reason: string | null): object => ({
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const events = [
    ...(choice.message.content.match(/\s*\S+/g) ?? []).map((content) => chunk({ content }, null)),
    chunk({}, choice.finish_reason),
    ...(usage ? [{ object: "chat.completion.chunk", choices: [], usage }] : []),
  ];
  const body = [...events.map((event) => JSON.stringify(event)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
  return { ...reply, body, headers: { "content-type": "text/event-stream", ...reply.headers } };
}

/** A local OpenAI-compatible server on a random port of 127.0.0.1: chat completions and the list of models. */
export async function startOpenAiServer(options: OpenAiServerOptions): Promise<OpenAiServer> {
  const requests: RecordedRequest[] = [];
  let chats = 0;
  let embeddings = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<RawReply> => {
    const bytes = await readBody(request);
    const [path = "", query] = (request.url ?? "").split("?");
    const recorded: RecordedRequest = {
      method: request.method ?? "",
      path,
      ...(query === undefined ? {} : { query }),
      authorization: request.headers.authorization,
    };
    requests.push(recorded);
    response.on("finish", () => {
      recorded.finishedAt = Date.now();
    });
    const key = /^Bearer (.+)$/.exec(recorded.authorization ?? "")?.[1];
    if (!key || (options.apiKey !== undefined && key !== options.apiKey))
      return errorReply(401, `Incorrect API key provided: ${key ?? "none"}.`, "invalid_api_key");
    if (recorded.method === "GET" && path === "/v1/models") {
      const data = (options.models ?? []).map((id) => ({ id, object: "model", created: 0, owned_by: "test" }));
      return { body: { object: "list", data } };
    }
    const batched = await endpoints?.handle(recorded.method, path, bytes, request.headers["content-type"]);
    if (batched) return batched;
    const embeds = options.embed !== undefined && path === "/v1/embeddings";
    if (recorded.method !== "POST" || !(embeds || path === "/v1/chat/completions"))
      return errorReply(404, `No such path: ${recorded.method} ${path}.`, "not_found");
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString("utf8"));
    } catch {
      return errorReply(400, "The body is not JSON.", "bad_request");
    }
    return embeds ? embedding(value, recorded) : chat(value, recorded);
  };

  const embedding = (value: unknown, recorded: RecordedRequest): RawReply => {
    const parsed = embeddingRequestSchema.safeParse(value);
    if (!parsed.success) return errorReply(400, parsed.error.message, "bad_request");
    const { model, input } = parsed.data;
    recorded.input = input;
    if (options.models && !options.models.includes(model))
      return errorReply(404, `The model '${model}' does not exist.`, "model_not_found");
    const given = options.embed?.(parsed.data, embeddings++) ?? [];
    if (!Array.isArray(given)) return given;
    // Out of order on purpose: the index says which text a vector belongs to.
    const data = given.map((vector, index) => ({ object: "embedding", index, embedding: vector })).reverse();
    const prompt_tokens = input.reduce((sum, text) => sum + countWords(text), 0);
    return { body: { object: "list", model, data, usage: { prompt_tokens, total_tokens: prompt_tokens } } };
  };

  const chat = async (value: unknown, recorded?: RecordedRequest): Promise<RawReply> => {
    const parsed = chatRequestSchema.safeParse(value);
    if (!parsed.success) return errorReply(400, parsed.error.message, "bad_request");
    if (recorded) recorded.body = parsed.data;
    if (options.models && !options.models.includes(parsed.data.model))
      return errorReply(404, `The model '${parsed.data.model}' does not exist.`, "model_not_found");
    const index = chats++;
    const given = await options.reply(parsed.data, index);
    const reply = typeof given === "string" ? completionReply(parsed.data, given, index) : given;
    return (parsed.data.stream && streamedReply(reply)) || reply;
  };
  const endpoints = options.batch && createBatchEndpoints({ ...options.batch, answer: (body) => chat(body) });

  const server = createServer((request, response) => {
    answer(request, response).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, errorReply(500, `reply() failed: ${String(error)}`, "test_bug")),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    batches: endpoints?.batches ?? [],
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
