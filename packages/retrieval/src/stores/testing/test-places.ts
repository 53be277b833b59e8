import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeptStoreRow } from "../kept-store.js";
import { KEPT_STORES } from "../vector-stores.js";

/** A store that keeps its vectors, with a place for them in this test. */
export interface TestPlace {
  /** With what it runs on. */
  name: string;
  kind: string;
  row: KeptStoreRow;
  url: string | undefined;
  /** Why it cannot be tested here. */
  missing: string | undefined;
}

/** Every store that keeps its vectors, on this machine. */
export async function testPlaces(): Promise<{ all: TestPlace[]; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-stores-"));
  const { lancedb } = KEPT_STORES;
  const all: TestPlace[] = [
    { name: "lancedb", kind: "lancedb", row: lancedb, url: join(folder, "lancedb"), missing: await lancedb.missing() },
  ];
  return {
    all,
    async close() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
