import { formatSeconds, type Reporter, UserError } from "@rag-ft/core";
import type { UsageBound } from "../bill/bill.js";
import type { Billed, CompletionUsage } from "../language-model.js";
import type { OpenLanguageModelOptions } from "../open-language-model-options.js";
import { createMinuteBudget } from "../requests/minute-budget.js";
import { DEFAULT_RETRIES } from "../requests/request-settings.js";
import { createRequestTally, type RequestTally } from "../requests/request-tally.js";
import { createRequestQueue } from "../requests/with-retries.js";
import { isSurelyUnbilled } from "./describe-error.js";
import { createEndpoints, type Endpoints, type Tried } from "./endpoints.js";
import { connectAll, type Server } from "./server.js";

export type OpenAiModelOptions = Pick<OpenLanguageModelOptions, "env" | "requests" | "tally"> & {
  reporter?: Pick<Reporter, "warn">;
};

/** What a request is taken for before it is sent. */
export interface ExpectedUsage {
  bound: UsageBound;
  /** Tokens of the prompt by our own count. */
  estimate: number | undefined;
  /** For the budget of the minute, until the server has counted. */
  tokens: number;
  signal: AbortSignal | undefined;
}

/** Requests to one model: retries, the budget of a minute and the bill, whatever is asked for. */
export interface BilledRequests {
  readonly tally: RequestTally;
  /** Whether somebody wants to know the tokens before they are spent: counting takes time. */
  readonly needsCount: boolean;
  /** Makes the attempt, and again where that may help; what was paid comes with the reply. */
  send<Reply extends { usage?: CompletionUsage }>(
    attempt: (server: Server) => Promise<Reply>,
    expected: ExpectedUsage,
  ): Promise<Reply & { billed?: Billed }>;
}

/** Requests at once to one server, where nothing else is said. */
export const DEFAULT_CONCURRENCY = 8;

/** The servers of a model. A stage's requests at once are shared out evenly among them; a server of ours (`serve`) has a queue of its own. */
export function openEndpoints(name: string, options: OpenAiModelOptions, instead?: string): Endpoints {
  const servers = connectAll(name, options.env, instead);
  const { requests, reporter } = options;
  const all = requests?.max_concurrency ?? DEFAULT_CONCURRENCY * servers.length;
  return createEndpoints(servers, {
    ...(requests ? { perEndpoint: Math.ceil(all / servers.length) } : {}),
    warn: reporter && ((line: string): void => reporter.warn(line)),
  });
}

/** @throws UserError in a dry run, and when there is a cap on the cost and the model has no price. */
export function openBilledRequests(endpoints: Endpoints, options: OpenAiModelOptions): BilledRequests {
  const [server] = endpoints.servers as [Server];
  const { requests_per_minute, tokens_per_minute, max_retries = DEFAULT_RETRIES, dry_run } = options.requests ?? {};
  if (dry_run) throw new UserError("A dry run sends no request; give the command without --dry_run.");
  const limits = {
    ...(requests_per_minute === undefined ? {} : { requests: requests_per_minute }),
    ...(tokens_per_minute === undefined ? {} : { tokens: tokens_per_minute }),
  };
  const tally = options.tally ?? createRequestTally();
  const { bill } = tally;
  bill?.check(server.name);
  const queue = createRequestQueue({
    max_retries,
    budget: createMinuteBudget(limits),
    tally,
    onLongWait: (ms) =>
      options.reporter?.warn(
        `${endpoints.servers.length > 1 ? "A server" : server.where} asks to wait ${formatSeconds(ms / 1000)}. Ctrl-C stops; the same command goes on later, finished completions are kept.`,
      ),
  });
  return {
    tally,
    needsCount: tokens_per_minute !== undefined || bill !== undefined,
    send: (attempt, { bound, estimate, tokens, signal }) => {
      const tried: Tried = new Set();
      return queue.run(
        async (spending) => {
          const item = await bill?.open(server.name, bound);
          try {
            const reply = await endpoints.attempt(tried, attempt, signal);
            const { usage } = reply;
            if (usage) spending.tokens = usage.prompt_tokens + usage.completion_tokens;
            const billed = item?.paid(usage, estimate);
            return billed ? { ...reply, billed } : reply;
          } catch (error) {
            if (isSurelyUnbilled(error)) item?.refused();
            else item?.unknown();
            throw error;
          }
        },
        { tokens, signal },
      );
    },
  };
}
