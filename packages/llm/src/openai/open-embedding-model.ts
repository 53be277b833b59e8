import { DataError } from "@rag-ft/core";
import type { CompletionUsage } from "../language-model.js";
import { countTextTokens } from "../tokens/count-tokens.js";
import { type OpenAiModelOptions, openBilledRequests, openEndpoints } from "./billed-requests.js";
import type { Server } from "./server.js";
import { withinTime } from "./within-time.js";

/** Texts and characters of one request: well under the API's limits of 2,048 inputs and 300,000 tokens. */
export const EMBEDDING_REQUEST_TEXTS = 128;
const REQUEST_CHARACTERS = 200_000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Names that OpenAI's embedding models go by, such as `text-embedding-ada-002`. */
export function isEmbeddingModelName(name: string): boolean {
  return /^text-embedding-/.test(name);
}

/** Cuts texts into the requests that they are sent in. */
export function cutInRequests(texts: readonly string[]): string[][] {
  const requests: string[][] = [];
  let current: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (
      current.length >= EMBEDDING_REQUEST_TEXTS ||
      (current.length > 0 && characters + text.length > REQUEST_CHARACTERS)
    ) {
      requests.push(current);
      current = [];
      characters = 0;
    }
    // The API refuses an empty input.
    current.push(text === "" ? " " : text);
    characters += text.length;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}

export interface EmbedTextsOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** A model behind the OpenAI API that makes vectors of texts. */
export interface EmbeddingModel {
  name: string;
  /** One vector a text, in their order, as the server gives them. */
  embed(texts: readonly string[], options?: EmbedTextsOptions): Promise<number[][]>;
}

async function attemptOnce(
  server: Server,
  input: string[],
  signal: AbortSignal | undefined,
): Promise<{ vectors: number[][]; usage?: CompletionUsage }> {
  const { data, usage } = await withinTime(server, { timeout_ms: REQUEST_TIMEOUT_MS, signal }, (limits) =>
    server.client.embeddings.create({ model: server.name, input, encoding_format: "float" }, limits),
  );
  const vectors = [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => embedding);
  if (vectors.length !== input.length)
    throw new DataError(`${server.name}: asked for ${input.length} vectors, received ${vectors.length}.`);
  return { vectors, ...(usage ? { usage: { prompt_tokens: usage.prompt_tokens, completion_tokens: 0 } } : {}) };
}

/**
 * Opens an embedding model (`OPENAI_API_KEY`, `OPENAI_BASE_URL`). Its requests are retried, kept to the budget of a minute, counted
 * and billed as those for completions are.
 */
export function openEmbeddingModel(name: string, options: OpenAiModelOptions): EmbeddingModel {
  const requests = openBilledRequests(openEndpoints(name, options, "name an encoder by its folder or hub id"), options);
  return {
    name,
    async embed(texts, { signal, onProgress } = {}) {
      const vectors: number[][] = [];
      for (const input of cutInRequests(texts)) {
        const estimate = requests.needsCount ? await countTextTokens(input) : undefined;
        // No token is shorter than a byte; a text may begin and end with one that is not of it.
        const bytes = input.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0);
        requests.tally.sent();
        const reply = await requests.send((server) => attemptOnce(server, input, signal), {
          bound: { prompt_tokens: bytes, completion_tokens: 0 },
          estimate,
          tokens: estimate ?? 0,
          signal,
        });
        requests.tally.used(reply.usage);
        vectors.push(...reply.vectors);
        onProgress?.(vectors.length, texts.length);
      }
      return vectors;
    },
  };
}
