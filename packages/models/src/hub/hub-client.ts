import { HUB_URL, HubApiError, type ListFileEntry, listFiles, modelInfo } from "@huggingface/hub";
import { CancelledError, DataError, redactSecrets, UserError } from "@rag-ft/core";
import { COMMIT, type Environment } from "./hub-cache.js";
import type { HubId } from "./hub-id.js";

/** The hub did not answer (no network, wrong endpoint) or broke down: a cached copy may serve. */
export class HubUnreachableError extends UserError {}

/** Asks the hub, with the endpoint (HF_ENDPOINT) and token (HF_TOKEN) of the environment. */
export interface HubClient {
  url: string;
  /** As the global `fetch`; the token goes to the hub's own origin only. */
  fetch: typeof fetch;
  /** The commit a revision stands for. */
  commitOf(id: HubId): Promise<string>;
  list(id: HubId, commit: string): Promise<ListFileEntry[]>;
  /** What a refused request means for the user. */
  explain(id: HubId, status: number, detail: string): UserError;
}

/** The codes of a failed connection, from the error or its causes: `ECONNREFUSED`, `ENOTFOUND`. */
export function networkCause(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code;
    parts.push(code ?? at.message);
  }
  return redactSecrets([...new Set(parts)].join(": "));
}

export function createHubClient(env: Environment, signal?: AbortSignal): HubClient {
  const url = (env.HF_ENDPOINT || HUB_URL).replace(/\/+$/, "");
  if (!URL.canParse(url)) throw new UserError(`HF_ENDPOINT is ${url}, expected a URL such as ${HUB_URL}.`);
  const token = env.HF_TOKEN?.trim();
  const hubFetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    const target = new URL(input instanceof Request ? input.url : input);
    if (token && target.origin === new URL(url).origin) headers.set("Authorization", `Bearer ${token}`);
    try {
      return await fetch(input, { ...init, headers, signal });
    } catch (cause) {
      if (signal?.aborted) throw new CancelledError("Stopped on request.", { cause });
      throw new HubUnreachableError(`The hub at ${url} cannot be reached (${networkCause(cause)}).`, { cause });
    }
  };
  const explain = (id: HubId, status: number, detail: string): UserError => {
    const what = `${id.name}${id.revision === "main" ? "" : `@${id.revision}`}`;
    const said = `${url} answered ${status}${detail ? `: ${redactSecrets(detail)}` : ""}`;
    const tokenState = token ? "HF_TOKEN is set, but may not have access" : "HF_TOKEN is not set";
    if (status === 401 || status === 403) {
      return new UserError(
        `${what}: not a model that may be read (${said}). Check the name; for a private or gated model accept its terms on ` +
          `the hub and set HF_TOKEN (${tokenState}). If it is meant to be a folder, there is none of that name.`,
      );
    }
    if (status === 404) {
      return new UserError(
        `${what}: no such model or revision on the hub (${said}). Check the name; a private model needs HF_TOKEN ` +
          `(${tokenState}). If it is meant to be a folder, there is none of that name.`,
      );
    }
    return new HubUnreachableError(`${what}: the hub failed (${said}).`);
  };
  const ask = async <T>(id: HubId, question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof HubApiError)) {
        if (error instanceof SyntaxError) {
          throw new DataError(`${id.name}: ${url} did not answer with JSON. Is HF_ENDPOINT right?`, { cause: error });
        }
        throw error;
      }
      const detail = typeof error.data?.error === "string" ? error.data.error : "";
      throw explain(id, error.statusCode, detail);
    }
  };
  return {
    url,
    fetch: hubFetch,
    explain,
    commitOf: (id) =>
      ask(id, async () => {
        const info = await modelInfo({
          name: id.name,
          revision: id.revision,
          hubUrl: url,
          fetch: hubFetch,
          additionalFields: ["sha"],
        });
        if (!COMMIT.test(info.sha)) throw new DataError(`${id.name}: the hub gave ${info.sha}, expected a commit.`);
        return info.sha;
      }),
    list: (id, commit) =>
      ask(id, async () => {
        const entries: ListFileEntry[] = [];
        const listing = { repo: id.name, revision: commit, recursive: true, hubUrl: url, fetch: hubFetch };
        for await (const entry of listFiles(listing)) entries.push(entry);
        return entries;
      }),
  };
}
