import { UserError } from "@rag-ft/core";
import { z } from "zod";
import { passwordsOf, STORE_URL_VARIABLE } from "./stores/store-url.js";
import { KEPT_STORES } from "./stores/vector-stores.js";

export type KeptStoreKind = keyof typeof KEPT_STORES;
export const STORE_KINDS = ["auto", "memory", "hnsw", "lancedb", "pgvector"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** Whether a URL holds a password. */
function hasPassword(url: string): boolean {
  try {
    return passwordsOf(new URL(url)).length > 0;
  } catch {
    // A password with a sign that has to be written otherwise makes it no URL, and is one all the same.
    return /:\/\/[^\s/@:]*:.+@/.test(url);
  }
}

/** Where the vectors are while they are searched: settings of every stage that retrieves. */
export const storeSettings = {
  vector_store: z
    .enum(STORE_KINDS)
    .default("auto")
    .describe(
      "Where vectors are searched: memory (exact), hnsw (a graph in memory, approximate), lancedb (in a folder, beyond memory; needs @lancedb/lancedb), pgvector (PostgreSQL; needs pg), or auto: memory, and hnsw where it pays",
    ),
  vector_store_url: z
    .string()
    .min(1)
    .refine((url) => !hasPassword(url), {
      error: `holds a password, and settings are recorded beside results: put the whole URL into the environment variable ${STORE_URL_VARIABLE}, or the password into PGPASSWORD or ~/.pgpass`,
    })
    .optional()
    .describe(
      `lancedb: the folder of its tables; pgvector: postgresql://user@host/database, without a password; default: the environment variable ${STORE_URL_VARIABLE}`,
    ),
};

export interface StoreSettings {
  vector_store?: StoreKind | undefined;
  vector_store_url?: string | undefined;
}

/** A store that was asked for by name. */
export interface NamedStore {
  kind: Exclude<StoreKind, "auto">;
  url?: string;
}

const isKept = (kind: StoreKind): kind is KeptStoreKind => Object.hasOwn(KEPT_STORES, kind);

/**
 * The store that settings ask for; undefined for `auto`.
 *
 * @throws UserError where a URL is missing, or given to a store that has none.
 */
export function namedStore(
  { vector_store: kind = "auto", vector_store_url }: StoreSettings,
  env: Readonly<Record<string, string | undefined>>,
): NamedStore | undefined {
  if (!isKept(kind)) {
    if (vector_store_url !== undefined)
      throw new UserError(
        `vector_store_url is for --vector_store lancedb or pgvector, found --vector_store ${kind}. Leave one of the two out.`,
      );
    return kind === "auto" ? undefined : { kind };
  }
  const url = vector_store_url ?? (env[STORE_URL_VARIABLE] || undefined);
  KEPT_STORES[kind].check(url);
  return { kind, url };
}

/** The same, of a store that this machine can open: before a model is loaded. @throws UserError with what to install. */
export async function requireStore(
  settings: StoreSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<NamedStore | undefined> {
  const named = namedStore(settings, env);
  const kind = named && keptKind(named);
  const missing = kind && (await KEPT_STORES[kind].missing());
  if (missing) throw new UserError(`vector_store ${kind}: ${missing}. Or take --vector_store memory.`);
  return named;
}

/** The name of a store that keeps its vectors; undefined for the others. */
export const keptKind = ({ kind }: NamedStore): KeptStoreKind | undefined => (isKept(kind) ? kind : undefined);
