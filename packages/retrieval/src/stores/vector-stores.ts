import { hnswRow } from "./hnsw/hnsw-store.js";
import type { KeptStoreRow } from "./kept-store.js";
import { lanceDbRow } from "./lancedb/lancedb-row.js";
import { memoryRow } from "./memory/memory-store.js";
import { pgVectorRow } from "./pgvector/pgvector-row.js";
import type { VectorStoreRow } from "./vector-store.js";

/** Stores that are filled at every opening. A row more is all that a new folder needs: `vector-store.test.ts` runs the same contract over each. */
export const VECTOR_STORES = {
  memory: memoryRow,
  hnsw: hnswRow(),
} satisfies Record<string, VectorStoreRow>;

/** Stores that keep what they were given, so that vectors are written once and need not fit into memory; the same contract, and `kept-store.test.ts`. */
export const KEPT_STORES = {
  lancedb: lanceDbRow(),
  pgvector: pgVectorRow(),
} satisfies Record<string, KeptStoreRow>;
