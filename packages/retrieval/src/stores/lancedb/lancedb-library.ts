import { UserError } from "@rag-ft/core";

/** LanceDB and the Arrow tables that it takes. */
export interface LanceDbLibrary {
  lancedb: typeof import("@lancedb/lancedb");
  arrow: typeof import("apache-arrow");
}

/** What to install, for messages. */
export const LANCEDB_PACKAGES = "@lancedb/lancedb@0.37 apache-arrow@18";

/** The library, or undefined where it is not installed or does not load. */
export async function loadLanceDb(): Promise<LanceDbLibrary | undefined> {
  try {
    return { lancedb: await import("@lancedb/lancedb"), arrow: await import("apache-arrow") };
  } catch {
    return undefined;
  }
}

export async function requireLanceDb(load: typeof loadLanceDb): Promise<LanceDbLibrary> {
  const library = await load();
  if (library) return library;
  throw new UserError(
    `vector_store lancedb: LanceDB is not installed, or has no binary for this system. Install it beside rag-ft (npm install ${LANCEDB_PACKAGES}), or take --vector_store memory.`,
  );
}
