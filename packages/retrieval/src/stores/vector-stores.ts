import { hnswRow } from "./hnsw/hnsw-store.js";
import { memoryRow } from "./memory/memory-store.js";
import type { VectorStoreRow } from "./vector-store.js";

/** Every store there is. A row more is all that a new folder needs: `vector-store.test.ts` runs the same contract over each. */
export const VECTOR_STORES = {
  memory: memoryRow,
  hnsw: hnswRow(),
} satisfies Record<string, VectorStoreRow>;
