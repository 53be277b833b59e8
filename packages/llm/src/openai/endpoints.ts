// Several servers of the same model share its requests:
//
// 1. A request goes to the server that has fewest on their way, of equally busy ones to that which has had fewest.
// 2. One that does not answer is left out for a while, longer each time, and its requests go on elsewhere at once. What a server refuses because of
//    the request itself (400) is refused everywhere, and does not go on.
// 3. When the while is over, one request tries it. A line says when a server is left out, and when it is back; not for each request.
import { throwIfCancelled, UserError } from "@rag-ft/core";
import { CompletionError } from "../completion-error.js";
import { type Clock, realClock } from "../requests/minute-budget.js";
import type { Server } from "./server.js";

/** First and longest time that a server is left out, in milliseconds. */
const FIRST_REST_MS = 10_000;
const LONGEST_REST_MS = 300_000;
/** How long one that is asked too much (429) and does not say rests. */
const BUSY_REST_MS = 2000;
/** A single time-out or error of the server may be the request's own; so many in a row are not. */
const FAILURES = 2;

/** The server understood the request, and takes none of this kind. */
const REFUSED: ReadonlySet<number> = new Set([400, 422]);

/** What went wrong, where it may be the server's fault. */
type Fault = "down" | "failing" | "busy" | "useless";

function faultOf(error: unknown): Fault | undefined {
  // A key, a model or a quota that this server has not, and another may have; what is wrong with the request is wrong everywhere.
  if (error instanceof UserError)
    return REFUSED.has((error.cause as { status?: number })?.status ?? 0) ? undefined : "useless";
  if (!(error instanceof CompletionError) || !error.retry) return undefined;
  if (error.kind === "connection") return "down";
  if (error.kind === "timeout" || error.kind === "server_error") return "failing";
  return error.kind === "rate_limit" ? "busy" : undefined;
}

interface Endpoint {
  server: Server;
  running: number;
  /** Requests so far. */
  asked: number;
  /** Failures since its last reply. */
  failures: number;
  /** How often it was left out since its last reply. */
  rests: number;
  /** When it is tried again. */
  outUntil: number;
  /** Whether it was said that it is left out. */
  told: boolean;
}

export interface EndpointsOptions {
  /** Requests on their way to one server, at most. */
  perEndpoint?: number;
  warn?: ((line: string) => void) | undefined;
  clock?: Clock;
}

/** The servers that one request has been sent to since it last waited. */
export type Tried = Set<Server>;

export interface Endpoints {
  readonly servers: readonly Server[];
  /**
   * One attempt, on the best server that the request has not tried. A failure that another server may not have says `retry.elsewhere`: it is to be
   * made again without a wait.
   */
  attempt<T>(tried: Tried, work: (server: Server) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** One server needs no choice. */
function single(server: Server): Endpoints {
  return { servers: [server], attempt: (_, work) => work(server) };
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

export function createEndpoints(
  servers: readonly [Server, ...Server[]],
  { perEndpoint = Number.POSITIVE_INFINITY, warn, clock = realClock }: EndpointsOptions = {},
): Endpoints {
  const [first, ...others] = servers;
  if (others.length === 0) return single(first);
  const endpoints = servers.map(
    (server): Endpoint => ({ server, running: 0, asked: 0, failures: 0, rests: 0, outUntil: 0, told: false }),
  );
  let waiting: (() => void)[] = [];
  /** Why the last of all servers is of no use. */
  let useless: Error | undefined;
  const isIn = ({ outUntil }: Endpoint): boolean => outUntil <= clock.now();

  /** Undefined: all that may take it are full. */
  const choose = (tried: Tried): Endpoint | undefined => {
    const able = endpoints.filter(({ outUntil }) => outUntil < Number.POSITIVE_INFINITY);
    if (useless !== undefined && able.length === 0) throw useless;
    const present = able.filter(isIn);
    const fresh = present.filter(({ server }) => !tried.has(server));
    // Where all are left out, the one that is to be tried next.
    const among = fresh.length > 0 ? fresh : present.length > 0 ? present : able;
    return among
      .filter(({ running, rests }) => running < (rests > 0 ? 1 : perEndpoint))
      .sort(
        (a, b) =>
          a.outUntil * Number(!isIn(a)) - b.outUntil * Number(!isIn(b)) || a.running - b.running || a.asked - b.asked,
      )[0];
  };

  const take = async (tried: Tried, signal: AbortSignal | undefined): Promise<Endpoint> => {
    for (;;) {
      if (signal) throwIfCancelled(signal);
      const endpoint = choose(tried);
      if (endpoint) {
        // At once: another request may choose before this one is sent.
        endpoint.running++;
        endpoint.asked++;
        return endpoint;
      }
      // Something is under way, or one would be free: its end wakes all, a stop on request, too.
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    }
  };

  const rest = (endpoint: Endpoint, ms: number, why: string | undefined): void => {
    endpoint.outUntil = clock.now() + ms;
    if (why === undefined || endpoint.told) return;
    endpoint.told = true;
    const left = endpoints.filter(isIn).length;
    if (ms === Number.POSITIVE_INFINITY && left === 0) return;
    const when = ms === Number.POSITIVE_INFINITY ? "for good" : `and is tried again after ${seconds(ms)}`;
    warn?.(`${why} It is left out ${when}; ${left} of ${endpoints.length} servers go on with its requests.`);
  };

  const note = (endpoint: Endpoint, error: Error, fault: Fault, wasOut: boolean): void => {
    const afterMs = error instanceof CompletionError ? error.retry?.afterMs : undefined;
    if (fault === "useless") {
      useless = error;
      rest(endpoint, Number.POSITIVE_INFINITY, error.message);
    } else if (fault === "busy") rest(endpoint, afterMs ?? BUSY_REST_MS, undefined);
    else if (wasOut || endpoint.rests === 0) {
      // Of several that were on their way when it died, the first alone counts.
      endpoint.failures++;
      if (fault === "failing" && endpoint.failures < FAILURES) return;
      const ms = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** endpoint.rests++);
      rest(endpoint, Math.max(ms, afterMs ?? 0), error.message);
    }
  };

  const failed = (endpoint: Endpoint, error: unknown, tried: Tried, wasOut: boolean): unknown => {
    const fault = faultOf(error);
    if (fault === undefined) return error;
    tried.add(endpoint.server);
    note(endpoint, error as Error, fault, wasOut);
    const more = endpoints.some((other) => isIn(other) && !tried.has(other.server));
    if (!more) {
      tried.clear();
      // The last that is left has no other: its own failure is what the user hears.
      const others = endpoints.some(({ outUntil }) => outUntil < Number.POSITIVE_INFINITY);
      return fault === "useless" && others ? elsewhere(error as Error, undefined) : error;
    }
    return elsewhere(error as Error, true);
  };

  return {
    servers,
    async attempt(tried, work, signal) {
      const endpoint = await take(tried, signal);
      const wasOut = endpoint.rests > 0;
      try {
        const result = await work(endpoint.server);
        if (endpoint.told && wasOut) warn?.(`${endpoint.server.where} answers again.`);
        endpoint.failures = 0;
        if (wasOut) Object.assign(endpoint, { rests: 0, outUntil: 0, told: false });
        return result;
      } catch (error) {
        throw failed(endpoint, error, tried, wasOut);
      } finally {
        endpoint.running--;
        const woken = waiting;
        waiting = [];
        for (const wake of woken) wake();
      }
    },
  };
}

/** The failure of one server, which another may not have. */
function elsewhere(error: Error, at_once: true | undefined): CompletionError {
  const kind = error instanceof CompletionError ? error.kind : "rejected";
  return new CompletionError(error.message, { kind, retry: { elsewhere: at_once }, cause: error });
}
