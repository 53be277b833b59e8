import type { Document, Reporter } from "@rag-ft/core";
import type { StoreCallOptions, VectorStore } from "./vector-store.js";

/** Where a store keeps the vectors of one encoder for one list of passages, and what they are. */
export interface StoreTable {
  /** Of the database: a folder, or a URL. */
  url: string;
  /** Of the encoder that made the vectors: vectors of another never stand beside them. */
  encoder: string;
  dimensions: number;
  /** Hash of the passages, in order. */
  documents: string;
  /** How many there are. */
  passages: number;
}

/** A store that keeps what it was given. Until `finish` it is not whole, and whoever opens it next goes on. */
export interface KeptVectorStore extends VectorStore {
  readonly whole: boolean;
  /** Places below the table's number of passages that have no vector yet, ascending. */
  missing(): Promise<number[]>;
  /** Writes passages at their places; on the disk when it returns. */
  put(places: readonly number[], documents: readonly Document[], vectors: Float32Array): Promise<void>;
  /**
   * Vectors that the database's other tables of this encoder hold, by the keys of their texts, so that an edited database embeds what is new alone.
   * `found` must copy what it is given; `afterPart` is waited for now and then.
   */
  readOthers(found: (key: string, vector: Float32Array) => void, afterPart: () => Promise<void>): Promise<void>;
  /** Makes the indexes, and marks the table as whole. @throws InternalError while passages are missing. */
  finish(options?: StoreCallOptions): Promise<void>;
}

export interface ExclusiveOptions {
  reporter: Reporter;
  signal: AbortSignal;
}

/** How a store that keeps its vectors is opened. */
export interface KeptStoreRow {
  /** What `vector_store_url` is, for messages. */
  readonly place: string;
  /** Why this machine cannot open it; undefined where it can. */
  missing(): Promise<string | undefined>;
  /** @throws UserError where the URL is none of this store's; the message holds no password. */
  check(url: string | undefined): void;
  /** The table, which is made where it is not there. @throws UserError when something is missing or another's. */
  open(table: StoreTable): Promise<KeptVectorStore>;
  /** Does the work of writing a table, which no other process writes meanwhile. */
  exclusive<T>(table: StoreTable, work: (signal: AbortSignal) => Promise<T>, options: ExclusiveOptions): Promise<T>;
}

const short = (hash: string): string => hash.slice(0, 16);

/** The beginning of the names of an encoder's tables. */
export const tablePrefix = ({ encoder }: Pick<StoreTable, "encoder">): string => `rag_ft_${short(encoder)}_`;

/** The name of a table. `encoder` and `documents` are hashes in hexadecimal. */
export const tableName = (table: Pick<StoreTable, "encoder" | "documents">): string =>
  `${tablePrefix(table)}${short(table.documents)}`;
