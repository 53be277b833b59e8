import type { Table } from "@lancedb/lancedb";
import { DataError, type Document, InternalError, RagFtError, throwIfCancelled } from "@rag-ft/core";
import { pageOf, type Ranked } from "../../best-passages.js";
import { depthOf, type Page } from "../../page.js";
import { bestOfCandidates } from "../best-of-candidates.js";
import type { KeptVectorStore, StoreTable } from "../kept-store.js";
import { inOrder, rankedRows, requireVectors, rowsAt } from "../store-checks.js";
import { restoredPassage } from "../stored-passage.js";
import type { StoreCallOptions } from "../vector-store.js";
import { candidatesOf, lanceFilter, lanceRows, lanceSchema } from "./lance-rows.js";
import type { LanceDbLibrary } from "./lancedb-library.js";

/** Passages above which a search goes through a graph. Below it LanceDB compares the question with all of them, in some milliseconds. */
const INDEX_ABOVE = 50_000;
/** Passages of one graph, at most; a larger table has several, and each is searched. */
const PASSAGES_A_GRAPH = 1_000_000;
/** Nodes of a graph that are looked at, at least, and looked at while it is built. */
const SEARCH_WIDTH = 256;
const BUILD_WIDTH = 200;
/** Rows of one answer of the database. */
const ROWS_A_QUERY = 1000;

export interface LanceStoreOptions {
  library: LanceDbLibrary;
  table: Table;
  /** Of the same encoder, to take vectors from. */
  others(): Promise<Table[]>;
  place: StoreTable;
  /** The folder of the table, for messages. */
  where: string;
  size: number;
  whole: boolean;
  /** Marks the table as whole. */
  mark(): Promise<void>;
  indexAbove?: number | undefined;
}

/** Vectors and passages in a table of LanceDB: on the disk, not in this process's memory. */
export class LanceStore implements KeptVectorStore {
  readonly kind = "lancedb";
  readonly dimensions: number;
  size: number;
  whole: boolean;

  constructor(private readonly options: LanceStoreOptions) {
    this.dimensions = options.place.dimensions;
    this.size = options.size;
    this.whole = options.whole;
  }

  async add(documents: readonly Document[], vectors: Float32Array): Promise<void> {
    await this.put(
      documents.map((_, i) => this.size + i),
      documents,
      vectors,
    );
  }

  async missing(): Promise<number[]> {
    const { table, place } = this.options;
    const there = new Set<number>();
    await this.guard("reading", async () => {
      for await (const batch of table.query().select(["id"]))
        for (const id of (batch.getChild("id")?.toArray() ?? []) as Int32Array) there.add(id);
    });
    return Array.from({ length: place.passages }, (_, id) => id).filter((id) => !there.has(id));
  }

  async put(places: readonly number[], documents: readonly Document[], vectors: Float32Array): Promise<void> {
    requireVectors(vectors, documents.length, this.dimensions);
    if (documents.length === 0) return;
    const { library, table } = this.options;
    const rows = await lanceRows(library, lanceSchema(library, this.dimensions), places, documents, vectors);
    await this.guard("writing", () => table.add(rows));
    this.size += documents.length;
  }

  async readOthers(found: (key: string, vector: Float32Array) => void, afterPart: () => Promise<void>): Promise<void> {
    for (const other of await this.options.others()) {
      await this.guard("reading", async () => {
        for await (const batch of other.query().select(["key", "vector"])) {
          const [keys, vectors] = [batch.getChild("key"), batch.getChild("vector")];
          for (let i = 0; i < batch.numRows; i++)
            found(keys?.get(i) as string, vectors?.get(i).toArray() as Float32Array);
          await afterPart();
        }
      });
      other.close();
    }
  }

  async finish({ reporter, signal }: StoreCallOptions = {}): Promise<void> {
    const { table, place, library, indexAbove = INDEX_ABOVE } = this.options;
    const { Index } = library.lancedb;
    const missing = await this.missing();
    if (missing.length > 0) throw new InternalError(`${missing.length} passages of ${place.passages} are missing.`);
    const progress = reporter?.start("indexing in LanceDB", 3);
    const step = async (name: string, work: () => Promise<unknown>, done: number): Promise<void> => {
      if (signal) throwIfCancelled(signal);
      await this.guard(name, work);
      progress?.update(done);
    };
    try {
      await step("compacting", () => table.optimize(), 1);
      const config = Index.fts({ stem: false, removeStopWords: false, asciiFolding: false, withPosition: false });
      if (this.size > 0) {
        await step("indexing", () => table.createIndex("text", { config }), 2);
        await step("indexing", () => table.createIndex("id", { config: Index.btree() }), 2);
      }
      if (this.size > indexAbove) await step("indexing", () => this.indexVectors(), 3);
    } finally {
      progress?.stop();
    }
    await this.options.mark();
    this.whole = true;
  }

  private async indexVectors(): Promise<void> {
    const { table, library } = this.options;
    const numPartitions = Math.ceil(this.size / PASSAGES_A_GRAPH);
    const config = library.lancedb.Index.hnswSq({ distanceType: "dot", numPartitions, efConstruction: BUILD_WIDTH });
    await table.createIndex("vector", { config });
  }

  async search(queries: Float32Array, page: Page, { signal }: StoreCallOptions = {}): Promise<Ranked[]> {
    const d = this.dimensions;
    const depth = depthOf(page);
    const found: Ranked[] = [];
    for (const query of rowsAt(queries, d)) {
      if (signal) throwIfCancelled(signal);
      const all = await bestOfCandidates(query, Math.min(depth, this.size), this.size, (limit) =>
        this.guard("searching", async () => candidatesOf(await this.nearest(query, limit, page).toArrow(), d)),
      );
      found.push(pageOf(all, page));
    }
    return found;
  }

  private nearest(query: Float32Array, limit: number, { filter }: Page) {
    const where = filter && lanceFilter(filter);
    const search = this.options.table
      .query()
      .nearestTo(query)
      .column("vector")
      .distanceType("dot")
      .select(["id", "vector", "_distance"])
      .limit(limit)
      .nprobes(Math.max(1, Math.ceil(this.size / PASSAGES_A_GRAPH)))
      .ef(Math.max(SEARCH_WIDTH, 2 * limit));
    // Within a filter all that fit are compared: the graph's links lead past those that do not.
    return where === undefined ? search : search.where(where).bypassVectorIndex();
  }

  /** By LanceDB's full-text index: BM25 over its own words. */
  async words(questions: readonly string[], page: Page, { signal }: StoreCallOptions = {}): Promise<Ranked[]> {
    const { table, library } = this.options;
    const where = page.filter && lanceFilter(page.filter);
    const limit = Math.min(depthOf(page), this.size);
    const found: Ranked[] = [];
    for (const question of questions) {
      if (signal) throwIfCancelled(signal);
      const search = table
        .query()
        .fullTextSearch(new library.lancedb.MatchQuery(question, "text"))
        .select(["id", "_score"])
        .limit(limit);
      const rows: { id: number; _score: number }[] =
        limit === 0 || !/[\p{L}\p{N}]/u.test(question)
          ? []
          : await this.guard("searching", () => (where === undefined ? search : search.where(where)).toArray());
      const best = rows
        .map(({ id, _score }) => ({ id, score: _score }))
        .sort((a, b) => b.score - a.score || a.id - b.id);
      found.push(pageOf(rankedRows(best), page));
    }
    return found;
  }

  async documents(ids: ArrayLike<number>): Promise<Document[]> {
    const found = new Map<number, Document>();
    for await (const batch of this.rows(ids, ["id", "text", "rest"]))
      for (const { id, text, rest } of batch.toArray() as { id: number; text: string; rest: string }[])
        found.set(id, restoredPassage(text, rest, `${this.options.where}, passage ${id}`));
    return inOrder(ids, found, "passage");
  }

  async vectors(ids: ArrayLike<number>): Promise<Float32Array> {
    const d = this.dimensions;
    const found = new Map<number, Float32Array>();
    for await (const table of this.rows(ids, ["id", "vector"])) {
      const { ids: own, vectors } = candidatesOf(table, d);
      Array.from(own, (id, at) => found.set(id, vectors.subarray(at * d, (at + 1) * d)));
    }
    const all = new Float32Array(ids.length * d);
    inOrder(ids, found, "vector of passage").forEach((vector, at) => {
      all.set(vector, at * d);
    });
    return all;
  }

  private async *rows(ids: ArrayLike<number>, columns: string[]) {
    const distinct = [...new Set(Array.from(ids))];
    for (let start = 0; start < distinct.length; start += ROWS_A_QUERY) {
      const some = distinct.slice(start, start + ROWS_A_QUERY).join(", ");
      const query = this.options.table.query().where(`id IN (${some})`).select(columns);
      yield await this.guard("reading", () => query.toArrow());
    }
  }

  async close(): Promise<void> {
    this.options.table.close();
  }

  /** @throws DataError where the database fails, with what to do. */
  private async guard<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof RagFtError) throw cause;
      throw lanceFailure(this.options.where, doing, cause);
    }
  }
}

/** A failure of the database in one sentence. */
export function lanceFailure(where: string, doing: string, cause: unknown): DataError {
  const [reason = ""] = String((cause as Error).message ?? cause).split("\n");
  return new DataError(
    `${where}: LanceDB failed while ${doing} (${reason.slice(0, 300)}). Look at the disk's space and rights and give the command again, which goes on with what is whole; ` +
      "if files in the folder were removed or damaged, remove the folder, and it is made anew.",
    { cause },
  );
}
