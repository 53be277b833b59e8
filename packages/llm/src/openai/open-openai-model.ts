import { CancelledError, RagFtError, redactSecrets, UserError } from "@rag-ft/core";
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "openai";
import { CompletionError } from "../completion-error.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import { fetchForSdk } from "./fetch-for-sdk.js";

/**
 * Attempts after the first. The SDK waits 0.5, 1, 2, 4 and 8 s (less up to a quarter of jitter) or what `Retry-After`
 * says, after 408, 409, 429 (but not when the quota is used up), 5xx and connection errors.
 */
const MAX_RETRIES = 5;

/** Servers that need no key still want the header. */
const PLACEHOLDER_KEY = "not-needed";

export interface OpenAiModelOptions {
  env: Readonly<Record<string, string | undefined>>;
}

function isReasoningModel(name: string): boolean {
  return /^(o\d|gpt-5)/.test(name);
}

/** What the user can do about a failure that no retry heals; undefined for the rest. */
function permanentProblem(error: APIError, name: string, where: string): string | undefined {
  if (error.status === 401 || error.status === 403)
    return `${where} refused the key (HTTP ${error.status}). Set OPENAI_API_KEY to a key that may use "${name}".`;
  if (error.status === 404)
    return `${where} does not know the model "${name}" (HTTP 404). Check the model's name, and OPENAI_BASE_URL (it usually ends in /v1).`;
  if (error.code === "insufficient_quota")
    return `${where} says that the quota is used up. Check plan and billing, then run again: finished completions are kept.`;
  return undefined;
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

function explain(error: unknown, name: string, where: string, key: string): RagFtError {
  if (error instanceof RagFtError) return error;
  // The SDK's errors carry request headers; only the text goes on, without the key, which a server may repeat.
  const text = redactSecrets((error instanceof Error ? error.message : String(error)).replaceAll(key, "…"));
  if (error instanceof APIUserAbortError) return new CancelledError("Stopped on request.");
  if (error instanceof APIConnectionTimeoutError)
    return new CompletionError(`${where}: no reply in time from "${name}", also after ${MAX_RETRIES} retries.`);
  if (error instanceof APIConnectionError)
    return new CompletionError(`${where}: no connection, also after ${MAX_RETRIES} retries (${text}).`);
  if (error instanceof APIError) {
    const problem = permanentProblem(error, name, where);
    return problem ? new UserError(problem) : new CompletionError(`${where}: ${text}`);
  }
  return new CompletionError(`${where}: ${text}`);
}

/** A model behind the OpenAI API, or behind any server that speaks it (`OPENAI_BASE_URL`). */
export function openOpenAiModel(name: string, { env }: OpenAiModelOptions): LanguageModel {
  const baseURL = env.OPENAI_BASE_URL || undefined;
  const apiKey = env.OPENAI_API_KEY || (baseURL ? PLACEHOLDER_KEY : undefined);
  if (!apiKey) {
    throw new UserError(
      `The model "${name}" is asked over the OpenAI API, but OPENAI_API_KEY is not set. Set it, or set OPENAI_BASE_URL for a compatible server, or name a local model (local:<folder or hub id>), or use "extractive".`,
    );
  }
  const where = baseURL ? shownAddress(baseURL) : "the OpenAI API";
  // Organisation and project are given as null where unset, so that the SDK does not read the process's environment.
  const client = new OpenAI({
    apiKey,
    baseURL: baseURL ?? "https://api.openai.com/v1",
    organization: env.OPENAI_ORG_ID ?? null,
    project: env.OPENAI_PROJECT_ID ?? null,
    maxRetries: MAX_RETRIES,
    fetch: fetchForSdk,
  });

  const complete = async (messages: readonly ChatMessage[], options: CompletionOptions): Promise<Completion> => {
    // OpenAI replaced max_tokens by max_completion_tokens; most compatible servers know only the former.
    const limit = baseURL ? { max_tokens: options.max_new_tokens } : { max_completion_tokens: options.max_new_tokens };
    // Reasoning models refuse temperature and stop.
    const sampling = isReasoningModel(name)
      ? {}
      : { temperature: options.temperature, ...(options.stop?.length ? { stop: [...options.stop] } : {}) };
    // The SDK leaves its listener on the signal it is given; with one of its own a long run's signal gathers none.
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      const reply = await client.chat.completions.create(
        {
          model: name,
          messages: messages.map((message) => ({ role: message.role, content: message.content })),
          ...limit,
          ...sampling,
          ...(options.seed === undefined ? {} : { seed: options.seed }),
        },
        { timeout: options.timeout_ms, signal: controller.signal },
      );
      const choice = reply.choices?.[0];
      if (!choice) throw new CompletionError(`${where}: the reply of "${name}" holds no choice.`);
      if (choice.message?.refusal) throw new CompletionError(`${where}: "${name}" refused: ${choice.message.refusal}`);
      const text = choice.message?.content;
      if (typeof text !== "string" || text.trim() === "")
        throw new CompletionError(
          `${where}: the reply of "${name}" holds no text (finish_reason: ${choice.finish_reason}).`,
        );
      return {
        text,
        finish_reason: choice.finish_reason ?? "stop",
        ...(reply.usage
          ? { usage: { prompt_tokens: reply.usage.prompt_tokens, completion_tokens: reply.usage.completion_tokens } }
          : {}),
      };
    } catch (error) {
      throw explain(error, name, where, apiKey);
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  };
  return { name, provider: "openai", complete, close: async () => {} };
}
