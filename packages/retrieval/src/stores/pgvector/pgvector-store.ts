import { type Document, InternalError, throwIfCancelled } from "@rag-ft/core";
import type { Pool, QueryResultRow } from "pg";
import { pageOf, type Ranked } from "../../best-passages.js";
import { depthOf, type Page } from "../../page.js";
import { bestOfCandidates } from "../best-of-candidates.js";
import { type KeptVectorStore, type StoreTable, tableName } from "../kept-store.js";
import { inOrder, rankedRows, requireVectors, rowsAt } from "../store-checks.js";
import { restoredPassage } from "../stored-passage.js";
import type { StoreCallOptions } from "../vector-store.js";
import {
  candidatesOf,
  filterSql,
  insertColumns,
  insertSql,
  ROWS_AT_ONCE,
  readVector,
  VECTOR_COLUMN,
  type VectorRow,
  vectorText,
} from "./pg-rows.js";
import { countWordsSql, wordsSql } from "./pg-words.js";
import { pgFailure } from "./pgvector-library.js";

/** Passages above which a search goes through a graph; below it PostgreSQL compares the question with all of them. */
const INDEX_ABOVE = 50_000;
/** pgvector's graph takes no more dimensions. Vectors of more are compared with all. */
const INDEX_DIMENSIONS = 2000;
/** Nodes looked at a search: at least, and pgvector's most. A page that wants more is compared with all passages. */
const SEARCH_WIDTH = 256;
const MOST_WIDTH = 1000;
/** Links of a node, and nodes looked at while building. */
const LINKS = 16;
const BUILD_WIDTH = 128;
/** Rows of one reading of another table. */
const ROWS_A_READING = 2000;

export interface PgVectorStoreOptions {
  pool: Pool;
  place: StoreTable;
  size: number;
  whole: boolean;
  indexed: boolean;
  /** Searches that are asked at once. */
  connections: number;
  indexAbove?: number | undefined;
}

/** Vectors and passages in a table of PostgreSQL, by pgvector. */
export class PgVectorStore implements KeptVectorStore {
  readonly kind = "pgvector";
  readonly dimensions: number;
  size: number;
  whole: boolean;
  private indexed: boolean;
  private readonly table: string;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: PgVectorStoreOptions) {
    this.dimensions = options.place.dimensions;
    this.size = options.size;
    this.whole = options.whole;
    this.indexed = options.indexed;
    this.table = tableName(options.place);
  }

  async add(documents: readonly Document[], vectors: Float32Array): Promise<void> {
    await this.put(
      documents.map((_, i) => this.size + i),
      documents,
      vectors,
    );
  }

  async missing(): Promise<number[]> {
    const rows = await this.query<{ place: number }>(
      "reading",
      `SELECT place FROM generate_series(0, $1::integer - 1) AS place LEFT JOIN ${this.table} ON id = place WHERE id IS NULL ORDER BY place`,
      [this.options.place.passages],
    );
    return rows.map(({ place }) => place);
  }

  async put(places: readonly number[], documents: readonly Document[], vectors: Float32Array): Promise<void> {
    const d = this.dimensions;
    requireVectors(vectors, documents.length, d);
    for (let start = 0; start < documents.length; start += ROWS_AT_ONCE) {
      const end = Math.min(start + ROWS_AT_ONCE, documents.length);
      const columns = await insertColumns(
        places.slice(start, end),
        documents.slice(start, end),
        vectors.subarray(start * d, end * d),
      );
      await this.query("writing", insertSql(this.table), columns);
    }
    this.size += documents.length;
  }

  async readOthers(found: (key: string, vector: Float32Array) => void, afterPart: () => Promise<void>): Promise<void> {
    const others = await this.query<{ name: string }>(
      "reading",
      "SELECT name FROM rag_ft_tables WHERE encoder = $1 AND dimensions = $2 AND name <> $3 AND to_regclass(name) IS NOT NULL",
      [this.options.place.encoder, this.dimensions, this.table],
    );
    const vector = new Float32Array(this.dimensions);
    for (const { name } of others) {
      for (let last = -1; ; ) {
        const rows = await this.query<VectorRow & { key: string }>(
          "reading",
          `SELECT id, key, ${VECTOR_COLUMN} FROM ${name} WHERE id > $1 ORDER BY id LIMIT ${ROWS_A_READING}`,
          [last],
        );
        for (const row of rows) found(row.key, readVector(row.vector, vector));
        await afterPart();
        if (rows.length < ROWS_A_READING) break;
        last = (rows.at(-1) as VectorRow).id;
      }
    }
  }

  async finish({ reporter, signal }: StoreCallOptions = {}): Promise<void> {
    const { place, indexAbove = INDEX_ABOVE } = this.options;
    const missing = await this.missing();
    if (missing.length > 0) throw new InternalError(`${missing.length} passages of ${place.passages} are missing.`);
    const { table } = this;
    const index = place.passages > indexAbove && this.dimensions <= INDEX_DIMENSIONS;
    const steps = [
      `CREATE INDEX IF NOT EXISTS ${table}_text ON ${table} USING gin (words)`,
      countWordsSql(table),
      ...(index
        ? [
            `CREATE INDEX IF NOT EXISTS ${table}_embedding ON ${table} USING hnsw (embedding vector_ip_ops) WITH (m = ${LINKS}, ef_construction = ${BUILD_WIDTH})`,
          ]
        : []),
      `ANALYZE ${table}`,
    ];
    const progress = reporter?.start("indexing in PostgreSQL", steps.length);
    try {
      for (const [done, step] of steps.entries()) {
        if (signal) throwIfCancelled(signal);
        await this.query("indexing", step);
        progress?.update(done + 1);
      }
    } finally {
      progress?.stop();
    }
    await this.query("writing", "UPDATE rag_ft_tables SET whole = true WHERE name = $1", [table]);
    this.indexed = index;
    this.size = place.passages;
    this.whole = true;
  }

  async search(queries: Float32Array, page: Page, { signal }: StoreCallOptions = {}): Promise<Ranked[]> {
    const depth = Math.min(depthOf(page), this.size);
    return this.inTurns(rowsAt(queries, this.dimensions), signal, async (query) => {
      const text = vectorText(query);
      const fetch = async (limit: number) => candidatesOf(await this.nearest(text, limit, page), this.dimensions);
      return pageOf(await bestOfCandidates(query, depth, this.size, fetch), page);
    });
  }

  private async nearest(query: string, limit: number, { filter }: Page): Promise<VectorRow[]> {
    const { sql, parameters } = filterSql(filter, 3);
    // Within a filter, and for a page deeper than a graph is searched, all that fit are compared: an index serves no order by a sum.
    const approximate = this.indexed && filter === undefined && limit <= MOST_WIDTH;
    const order = approximate ? "embedding <#> $1::vector" : "(embedding <#> $1::vector) + 0";
    const select = `SELECT id, ${VECTOR_COLUMN} FROM ${this.table} WHERE true${sql} ORDER BY ${order}, id LIMIT $2`;
    if (!approximate) return this.query<VectorRow>("searching", select, [query, limit, ...parameters]);
    return this.guard("searching", async () => {
      const client = await this.options.pool.connect();
      try {
        const width = Math.min(MOST_WIDTH, Math.max(SEARCH_WIDTH, 2 * limit));
        await client.query("SELECT set_config('hnsw.ef_search', $1, false)", [String(width)]);
        return (await client.query<VectorRow>(select, [query, limit])).rows;
      } finally {
        client.release();
      }
    });
  }

  /** By PostgreSQL's text search: see `pg-words.ts`. */
  async words(questions: readonly string[], page: Page, { signal }: StoreCallOptions = {}): Promise<Ranked[]> {
    const limit = Math.min(depthOf(page), this.size);
    const { sql, parameters } = filterSql(page.filter, 4);
    return this.inTurns(questions, signal, async (question) => {
      // A NUL is no character of PostgreSQL's, and of no word either.
      const values = [question.replaceAll("\0", " "), this.size, limit, ...parameters];
      const rows = await this.query<{ id: number; score: number }>("searching", wordsSql(this.table, sql), values);
      return pageOf(rankedRows(rows), page);
    });
  }

  async documents(ids: ArrayLike<number>): Promise<Document[]> {
    const rows = await this.query<{ id: number; text: string; rest: string }>(
      "reading",
      `SELECT id, text, rest FROM ${this.table} WHERE id = ANY ($1::integer[])`,
      [[...new Set(Array.from(ids))]],
    );
    const found = new Map(
      rows.map(({ id, text, rest }) => [id, restoredPassage(text, rest, `${this.table}, passage ${id}`)]),
    );
    return inOrder(ids, found, "passage");
  }

  async vectors(ids: ArrayLike<number>): Promise<Float32Array> {
    const d = this.dimensions;
    const rows = await this.query<VectorRow>(
      "reading",
      `SELECT id, ${VECTOR_COLUMN} FROM ${this.table} WHERE id = ANY ($1::integer[])`,
      [[...new Set(Array.from(ids))]],
    );
    const found = new Map(rows.map(({ id, vector }) => [id, vector]));
    const all = new Float32Array(ids.length * d);
    inOrder(ids, found, "vector of passage").forEach((vector, at) => {
      readVector(vector, all.subarray(at * d, (at + 1) * d));
    });
    return all;
  }

  close(): Promise<void> {
    this.closing ??= this.options.pool.end();
    return this.closing;
  }

  /** Questions in order, as many at once as there are connections. */
  private async inTurns<Q, R>(
    questions: readonly Q[],
    signal: AbortSignal | undefined,
    ask: (question: Q) => Promise<R>,
  ): Promise<R[]> {
    const answers: R[] = [];
    const { connections } = this.options;
    for (let start = 0; start < questions.length; start += connections) {
      if (signal) throwIfCancelled(signal);
      answers.push(...(await Promise.all(questions.slice(start, start + connections).map(ask))));
    }
    return answers;
  }

  private query<R extends QueryResultRow>(doing: string, sql: string, parameters?: unknown[]): Promise<R[]> {
    return this.guard(doing, async () => (await this.options.pool.query<R>(sql, parameters)).rows);
  }

  private async guard<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw pgFailure(this.options.place.url, doing, cause);
    }
  }
}
