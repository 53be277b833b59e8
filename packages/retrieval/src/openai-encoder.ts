import { CancelledError, DataError, hashText, redactSecrets, UserError } from "@rag-ft/core";
import OpenAI, { APIUserAbortError } from "openai";
import type { PassageEncoder } from "./passage-encoder.js";

/** Texts and characters of one request: well under the API's limits of 2,048 inputs and 300,000 tokens. */
const REQUEST_TEXTS = 128;
const REQUEST_CHARACTERS = 200_000;
const REQUEST_TIMEOUT_MS = 60_000;
const RETRIES = 5;

/** Names that OpenAI's embedding models go by, such as `text-embedding-ada-002`. */
export function isOpenAiEmbeddingName(name: string): boolean {
  return /^text-embedding-/.test(name);
}

function cutInRequests(texts: readonly string[]): string[][] {
  const requests: string[][] = [];
  let current: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (current.length >= REQUEST_TEXTS || (current.length > 0 && characters + text.length > REQUEST_CHARACTERS)) {
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

function normalise(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? vector.map((value) => value / length) : [...vector];
}

export interface OpenAiEncoderOptions {
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
}

/**
 * An embedding model behind OpenAI's API or a compatible one (`OPENAI_API_KEY`, `OPENAI_BASE_URL`). One text is embedded at
 * opening, to learn the dimensions and to fail before any work is done.
 */
export async function openOpenAiEncoder(name: string, options: OpenAiEncoderOptions): Promise<PassageEncoder> {
  const baseURL = options.env.OPENAI_BASE_URL || undefined;
  // Servers that need no key still want the header.
  const apiKey = options.env.OPENAI_API_KEY || (baseURL ? "not-needed" : undefined);
  if (!apiKey) {
    throw new UserError(`${name}: an OpenAI embedding model needs the environment variable OPENAI_API_KEY. Set it.`);
  }
  // Nothing is left out, so that the SDK does not read the process's environment.
  const client = new OpenAI({
    apiKey,
    baseURL: baseURL ?? "https://api.openai.com/v1",
    organization: options.env.OPENAI_ORG_ID ?? null,
    project: options.env.OPENAI_PROJECT_ID ?? null,
    maxRetries: RETRIES,
    timeout: REQUEST_TIMEOUT_MS,
  });

  const request = async (input: string[], signal: AbortSignal | undefined): Promise<number[][]> => {
    try {
      const reply = await client.embeddings.create({ model: name, input, encoding_format: "float" }, { signal });
      const rows = [...reply.data].sort((a, b) => a.index - b.index).map((row) => normalise(row.embedding));
      if (rows.length !== input.length) {
        throw new DataError(`${name}: asked for ${input.length} vectors, received ${rows.length}.`);
      }
      return rows;
    } catch (error) {
      if (error instanceof DataError) throw error;
      if (error instanceof APIUserAbortError) throw new CancelledError("Stopped on request.", { cause: error });
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(
        `${name}: embedding failed: ${redactSecrets(reason.replaceAll(apiKey, "…"))}. Check the name, key and address.`,
        {
          cause: error,
        },
      );
    }
  };

  const dimensions = (await request(["dimensions"], options.signal))[0]?.length ?? 0;
  return {
    dimensions,
    settings: { pooling: "mean", similarity: "cosine", query_prefix: "", passage_prefix: "", max_length: 8191 },
    fingerprint: hashText(`openai-embedding\n${baseURL ?? ""}\n${name}\n${dimensions}`),
    async embed(texts, _kind, embedOptions) {
      const vectors = new Float32Array(texts.length * dimensions);
      let done = 0;
      for (const input of cutInRequests(texts)) {
        for (const row of await request(input, embedOptions?.signal ?? options.signal)) {
          if (row.length !== dimensions) {
            throw new DataError(`${name}: expected vectors of ${dimensions} dimensions, received ${row.length}.`);
          }
          vectors.set(row, done * dimensions);
          done++;
        }
        embedOptions?.onProgress?.(done, texts.length);
      }
      return vectors;
    },
    async close() {},
  };
}
