import { setTimeout as wait } from "node:timers/promises";
import { throwIfCancelled, UserError } from "@rag-ft/core";
import type { Client, Pool } from "pg";
import {
  type ExclusiveOptions,
  type KeptStoreRow,
  type KeptVectorStore,
  type StoreTable,
  tableName,
} from "../kept-store.js";
import { STORE_URL_VARIABLE } from "../store-url.js";
import { loadPg, PG_PACKAGE, pgFailure, requirePg, shownUrl } from "./pgvector-library.js";
import { PgVectorStore } from "./pgvector-store.js";

/** Connections of one store. */
const CONNECTIONS = 4;
/** How long a connection may take, and how often a lock is asked for, in milliseconds. */
const CONNECT_MS = 10_000;
const LOCK_EVERY_MS = 500;
/** Of the layout of the tables. */
const FORMAT = 1;
/** Vectors up to here stand in the row itself, where comparing with all of them reads them without a second look-up. */
const PLAIN_DIMENSIONS = 1024;

export interface PgVectorRowOptions {
  load?: typeof loadPg;
  connections?: number;
  /** Passages above which a graph is built. */
  indexAbove?: number;
}

interface Mark {
  encoder: string;
  documents: string;
  dimensions: number;
  passages: number;
  whole: boolean;
}

/** Values are hashes in hexadecimal and whole numbers, so that one round trip may make all of it, or nothing. */
function makeSql(table: StoreTable): string {
  const name = tableName(table);
  const { encoder, documents, dimensions, passages } = table;
  const plain = dimensions <= PLAIN_DIMENSIONS ? `ALTER TABLE ${name} ALTER COLUMN embedding SET STORAGE PLAIN;` : "";
  return `
    SELECT pg_advisory_xact_lock(hashtextextended('rag_ft_tables', 0));
    CREATE EXTENSION IF NOT EXISTS vector;
    CREATE TABLE IF NOT EXISTS rag_ft_tables (
      name text PRIMARY KEY, format integer NOT NULL, encoder text NOT NULL, documents text NOT NULL, dimensions integer NOT NULL,
      passages integer NOT NULL, whole boolean NOT NULL, made timestamptz NOT NULL DEFAULT now());
    CREATE TABLE IF NOT EXISTS ${name} (
      id integer PRIMARY KEY, key text NOT NULL, text text NOT NULL, rest text NOT NULL, metadata jsonb NOT NULL,
      words tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, left(text, 100000))) STORED,
      embedding vector(${dimensions}) NOT NULL);
    ${plain}
    INSERT INTO rag_ft_tables (name, format, encoder, documents, dimensions, passages, whole)
    VALUES ('${name}', ${FORMAT}, '${encoder}', '${documents}', ${dimensions}, ${passages}, false)
    ON CONFLICT (name) DO UPDATE SET whole = false;`;
}

/** @throws UserError where the table is another's. */
function requireOwn(table: StoreTable, mark: Mark | undefined, isThere: boolean): void {
  const name = tableName(table);
  const where = `PostgreSQL at ${shownUrl(table.url)}: the table ${name}`;
  if (!mark && isThere)
    throw new UserError(
      `${where} has no row in rag_ft_tables, so that nobody knows what it holds. Drop it (DROP TABLE ${name}), or take another database.`,
    );
  for (const key of ["encoder", "documents", "dimensions", "passages"] as const)
    if (mark && mark[key] !== table[key])
      throw new UserError(
        `${where} should have ${key} ${table[key]}, found ${mark[key]}: it is of another model or of other passages. Take another database, or drop the table and its row in rag_ft_tables.`,
      );
}

async function prepare(pool: Pool, table: StoreTable): Promise<{ size: number; whole: boolean; indexed: boolean }> {
  const name = tableName(table);
  const look = async () => {
    const { rows } = await pool.query<{ marks: string | null; own: string | null; graph: string | null }>(
      "SELECT to_regclass('rag_ft_tables') AS marks, to_regclass($1) AS own, to_regclass($2) AS graph",
      [name, `${name}_embedding`],
    );
    return rows[0];
  };
  const there = await look();
  const marks = there?.marks
    ? await pool.query<Mark>(
        "SELECT encoder, documents, dimensions, passages, whole FROM rag_ft_tables WHERE name = $1",
        [name],
      )
    : undefined;
  const mark = marks?.rows[0];
  requireOwn(table, mark, Boolean(there?.own));
  // A whole table is opened by who may only read.
  if (!mark || !there?.own) await pool.query(makeSql(table));
  const counted = await pool.query<{ size: number }>(`SELECT count(*)::integer AS size FROM ${name}`);
  const size = counted.rows[0]?.size ?? 0;
  return { size, whole: mark?.whole === true && size === table.passages, indexed: Boolean(there?.graph) };
}

/** Whether the client can read user and password: a bare % in them is no sign of a URL, and URL itself lets it pass. */
function isDecodable(url: string): boolean {
  try {
    const { username, password, pathname } = new URL(url);
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

const connection = (url: string) => ({
  connectionString: url,
  application_name: "rag-ft",
  connectionTimeoutMillis: CONNECT_MS,
});

async function openStore(
  table: StoreTable,
  { load = loadPg, ...options }: PgVectorRowOptions,
): Promise<KeptVectorStore> {
  const { Pool } = await requirePg(load);
  const { connections = CONNECTIONS, indexAbove } = options;
  const pool = new Pool({ ...connection(table.url), max: connections, allowExitOnIdle: true });
  // A connection that dies while nobody uses it is told by the next query, if it matters.
  pool.on("error", () => {});
  try {
    return new PgVectorStore({ pool, place: table, connections, indexAbove, ...(await prepare(pool, table)) });
  } catch (cause) {
    await pool.end();
    throw pgFailure(table.url, "opening", cause);
  }
}

/** Waits for the lock of a table, which the server lets go when this process dies. */
async function takeLock(client: Client, name: string, { reporter, signal }: ExclusiveOptions): Promise<void> {
  for (let told = false; ; told = true) {
    throwIfCancelled(signal);
    const { rows } = await client.query<{ taken: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken",
      [name],
    );
    if (rows[0]?.taken) return;
    if (!told) reporter.info(`pgvector: another process writes the table ${name}; waiting for it`);
    await wait(LOCK_EVERY_MS, undefined, { signal }).catch(() => throwIfCancelled(signal));
  }
}

/** PostgreSQL with pgvector: a table of vectors, passages and PostgreSQL's own text search. */
export function pgVectorRow(options: PgVectorRowOptions = {}): KeptStoreRow {
  const { load = loadPg } = options;
  return {
    place: "postgresql://user@host/database",
    missing: async () =>
      (await load()) ? undefined : `the client of PostgreSQL is not installed (npm install ${PG_PACKAGE})`,
    check(url) {
      if (url === undefined || !/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
        throw new UserError(
          `vector_store pgvector: expected a URL postgresql://user@host/database, ${url === undefined ? "and none is given" : "found something else"}. Give it in --vector_store_url, or with a password in ${STORE_URL_VARIABLE}.`,
        );
      if (!isDecodable(url))
        throw new UserError(
          `vector_store pgvector: the URL of ${shownUrl(url).replace(/^.*:\/\/([^/]*).*$/, "$1")} holds a % that begins no sign. Write a % in a user, password or name as %25.`,
        );
    },
    open: (table) => openStore(table, options),
    async exclusive(table, work, exclusive) {
      const { Client } = await requirePg(load);
      const client = new Client(connection(table.url));
      const lost = new AbortController();
      client.on("error", (cause) => lost.abort(pgFailure(table.url, "writing", cause)));
      try {
        await client.connect();
        await takeLock(client, tableName(table), exclusive);
      } catch (cause) {
        await client.end().catch(() => {});
        throw pgFailure(table.url, "waiting for the table's lock", cause);
      }
      try {
        return await work(AbortSignal.any([exclusive.signal, lost.signal]));
      } catch (error) {
        throw lost.signal.aborted ? lost.signal.reason : error;
      } finally {
        await client.end().catch(() => {});
      }
    },
  };
}
