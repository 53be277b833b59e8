import { DataError, RagFtError, redactSecrets, UserError } from "@rag-ft/core";
import type * as Pg from "pg";
import { passwordsOf, STORE_URL_VARIABLE } from "../store-url.js";

/** The client of PostgreSQL. */
export type PgLibrary = typeof Pg;

/** What to install, for messages. */
export const PG_PACKAGE = "pg@8";

/** The client, or undefined where it is not installed. */
export async function loadPg(): Promise<PgLibrary | undefined> {
  try {
    return (await import("pg")).default as unknown as PgLibrary;
  } catch {
    return undefined;
  }
}

export async function requirePg(load: typeof loadPg): Promise<PgLibrary> {
  const library = await load();
  if (library) return library;
  throw new UserError(
    `vector_store pgvector: the client of PostgreSQL is not installed. Install it beside rag-ft (npm install ${PG_PACKAGE}), or take --vector_store memory.`,
  );
}

/** A URL for messages: without user and password. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host, pathname, searchParams } = new URL(url);
    return `${protocol}//${host || searchParams.get("host") || "localhost"}${pathname}`;
  } catch {
    return "the database";
  }
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOENT",
  "57P03",
]);
const LOST = new Set(["ECONNRESET", "EPIPE", "57P01", "57P02", "08003", "08006"]);

function adviceFor(code: string, message: string, doing: string): string | undefined {
  if (UNREACHABLE.has(code) || /timeout exceeded when trying to connect/i.test(message))
    return `does not answer (${code || message}). Start it, or give another URL in --vector_store_url or ${STORE_URL_VARIABLE}.`;
  if (LOST.has(code) || /connection terminated|connection ended|not queryable/i.test(message))
    return `the connection was lost while ${doing}. What was written before is kept: when the server is up, give the command again, which goes on with it.`;
  if (code === "28P01" || code === "28000" || /password must be a string/.test(message))
    return `refuses the user or the password. Put the URL with both into ${STORE_URL_VARIABLE}, or the password into PGPASSWORD or ~/.pgpass.`;
  if (code === "3D000") return "the server has no such database. Make it (createdb), or name another in the URL.";
  if (code === "42501")
    return `the user may not do what ${doing} needs (${message}). Grant CREATE on the schema (and have an administrator say CREATE EXTENSION vector), or take another user.`;
  if (code === "0A000" || code === "58P01" || /extension "vector"/.test(message))
    return `has no pgvector (${message}). Install it on the server (Debian: postgresql-NN-pgvector; or the image pgvector/pgvector).`;
  if (code === "53100")
    return `the server's disk is full, found while ${doing}. Make room, and give the command again, which goes on.`;
  if (code === "53300") return "the server has no connection left. Wait, or raise max_connections.";
  return undefined;
}

/** What no message may hold: passwords as they are written in a URL, and as the client sends them. */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const parsed = new URL(url);
  return [decodeURIComponent(parsed.password), ...passwordsOf(parsed)].filter((one) => one !== "");
}

/** A failure of the server in one sentence, which holds no password. */
export function pgFailure(url: string, doing: string, cause: unknown): RagFtError {
  if (cause instanceof RagFtError) return cause;
  // Of a name with several addresses, the first failure tells.
  const error = (cause instanceof AggregateError ? cause.errors[0] : cause) as Error & { code?: string };
  const secrets = secretsOf(url);
  const [line = ""] = String(error?.message ?? error).split("\n");
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, "…"), redactSecrets(line));
  const advice = adviceFor(error?.code ?? "", message, doing);
  const where = `PostgreSQL at ${shownUrl(url)}`;
  if (advice !== undefined) return new UserError(`${where}: ${advice}`);
  return new DataError(
    `${where}: failed while ${doing} (${message}). What was written before is kept: give the command again, or drop the table, which is then made anew.`,
  );
}
