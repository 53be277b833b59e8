import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeptStoreRow } from "../kept-store.js";
import { pgVectorRow } from "../pgvector/pgvector-row.js";
import { KEPT_STORES } from "../vector-stores.js";
import { startPglite } from "./pglite-server.js";
import { postgresMissing, startPostgres } from "./postgres-server.js";

/** A store that keeps its vectors, with a place for them in this test. */
export interface TestPlace {
  /** With what it runs on. */
  name: string;
  kind: string;
  row: KeptStoreRow;
  url: string | undefined;
  /** Why it cannot be tested here. */
  missing: string | undefined;
  /** Whether connections have sessions of their own, with locks of their own. */
  sessions: boolean;
}

/** Every store that keeps its vectors, on this machine. PostgreSQL as a server where there is one, and as WebAssembly everywhere. */
export async function testPlaces(): Promise<{ all: TestPlace[]; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-stores-"));
  const { lancedb, pgvector } = KEPT_STORES;
  const missing = postgresMissing();
  const pglite = await startPglite();
  const postgres = missing === undefined ? await startPostgres() : undefined;
  const shared = { kind: "pgvector", sessions: true };
  return {
    all: [
      {
        ...{ name: "lancedb", kind: "lancedb", row: lancedb, sessions: true },
        ...{ url: join(folder, "lancedb"), missing: await lancedb.missing() },
      },
      { ...shared, name: "pgvector on a server", row: pgvector, url: postgres?.url, missing },
      {
        ...{ ...shared, name: "pgvector on PGlite", sessions: false },
        ...{ row: pgVectorRow({ connections: 1 }), url: pglite.url, missing: undefined },
      },
    ],
    async close() {
      await pglite.close();
      await postgres?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
