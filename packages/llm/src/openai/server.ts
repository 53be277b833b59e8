import { proxyFetch, UserError } from "@rag-ft/core";
import OpenAI from "openai";
import type { ChatMessage, CompletionOptions } from "../language-model.js";
import { type Address, addressesOf } from "./addresses.js";
import type { Asked } from "./describe-error.js";
import { withErrorBodies } from "./error-body.js";
import type { Quirks } from "./quirks.js";
import { withWholeReplies } from "./with-whole-replies.js";

/** Servers that need no key still want the header. */
const PLACEHOLDER_KEY = "not-needed";

const OPENAI_URL = "https://api.openai.com/v1";

/** Azure's hosts take a key in a header of their own. */
const isAzure = ({ hostname }: URL): boolean => /(^|\.)azure\.(com|us|cn)$/.test(hostname);

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
  /** What the server has refused so far. */
  quirks: Quirks;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The servers of a model: of each address of OPENAI_BASE_URL, or OpenAI itself. `instead`: what the user may do without an API.
 *
 * @throws UserError when there is no key, or no usable address.
 */
export function connectAll(
  name: string,
  env: Env,
  instead = `name a local model (local:<folder or hub id>), or use "extractive"`,
): [Server, ...Server[]] {
  return addressesOf(env).map((address) => connect(name, address, env, instead)) as [Server, ...Server[]];
}

function connect(name: string, { baseURL, key: given }: Address, env: Env, instead: string): Server {
  const key = given || (baseURL ? PLACEHOLDER_KEY : undefined);
  if (!key) {
    throw new UserError(
      `The model "${name}" is asked over the OpenAI API, but OPENAI_API_KEY is not set. Set it, or set OPENAI_BASE_URL for a compatible server, or ${instead}.`,
    );
  }
  const where = baseURL ? shownAddress(baseURL) : "the OpenAI API";
  const url = new URL(baseURL ?? OPENAI_URL);
  // A query (Azure's api-version) goes with every request; the SDK would put the path behind it.
  const defaultQuery = Object.fromEntries(url.searchParams);
  // Organisation and project are given as null where unset, so that the SDK does not read the process's environment.
  const client = new OpenAI({
    apiKey: key,
    baseURL: `${url.origin}${url.pathname}`,
    defaultQuery,
    ...(isAzure(url) ? { defaultHeaders: { "api-key": key } } : {}),
    fetch: withWholeReplies(withErrorBodies(proxyFetch(env))),
    organization: env.OPENAI_ORG_ID ?? null,
    project: env.OPENAI_PROJECT_ID ?? null,
    // Retries are ours: the SDK's own are not counted, do not cover a reply that breaks off, and keep to no budget.
    maxRetries: 0,
  });
  return { name, where, key, client, compatible: url.hostname !== new URL(OPENAI_URL).hostname, quirks: {} };
}

/** Without messages of the system, whose text goes before the first of the user's. */
function withoutSystem(messages: readonly ChatMessage[]): ChatMessage[] {
  const texts = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const rest = messages.filter(({ role }) => role !== "system");
  const [first, ...others] = rest;
  if (texts.length === 0 || first === undefined) return rest;
  return [{ ...first, content: [...texts, first.content].join("\n\n") }, ...others];
}

/** The body of a chat request. */
export function requestBody(
  { name, compatible, quirks }: Pick<Server, "name" | "compatible" | "quirks">,
  messages: readonly ChatMessage[],
  options: CompletionOptions,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  // OpenAI replaced max_tokens by max_completion_tokens; most compatible servers know only the former.
  const isNew = (!compatible || isReasoningModel(name)) !== Boolean(quirks.other_limit);
  const limit = isNew ? { max_completion_tokens: options.max_new_tokens } : { max_tokens: options.max_new_tokens };
  // Reasoning models refuse temperature and stop.
  const plain = !isReasoningModel(name);
  const { stop, schema, seed } = options;
  const sent = quirks.no_system ? withoutSystem(messages) : messages;
  return {
    model: name,
    messages: sent.map(({ role, content }) => ({ role, content })),
    ...limit,
    ...(plain && !quirks.no_temperature ? { temperature: options.temperature } : {}),
    ...(plain && stop?.length && !quirks.no_stop ? { stop: [...stop] } : {}),
    ...(seed === undefined || quirks.no_seed ? {} : { seed }),
    ...(schema && !quirks.no_schema
      ? {
          response_format: {
            type: "json_schema",
            json_schema: { ...schema, schema: { ...schema.schema }, strict: true },
          },
        }
      : {}),
  };
}
