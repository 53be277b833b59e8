// A store that keeps its vectors is filled once:
//
// 1. A table is known by the encoder and the passages. One that is whole is taken as it is.
// 2. Else one process at a time goes on where the last one was stopped: first with vectors that the index, and other tables of this encoder, hold
//    of the same texts, then with those that the encoder makes. No more of them are in memory than were made in some seconds.
// 3. Only when no passage is missing are the indexes made, and the table is marked as whole.
import { createHash } from "node:crypto";
import { type Document, hashText, type Reporter, throwIfCancelled } from "@rag-ft/core";
import { embedMissing } from "./embed-missing.js";
import { checkIndexPath, encoderFolder } from "./kept/index-root.js";
import { textKeys, VectorParts } from "./kept/vector-parts.js";
import type { PassageEncoder } from "./passage-encoder.js";
import type { KeptStoreKind } from "./store-settings.js";
import { type KeptStoreRow, type KeptVectorStore, type StoreTable, tableName } from "./stores/kept-store.js";
import type { VectorStore } from "./stores/vector-store.js";

export interface OpenKeptStoreOptions {
  kind: KeptStoreKind;
  row: KeptStoreRow;
  url: string | undefined;
  /** Folder whose vectors of the same encoder are taken over. */
  indexPath: string | undefined;
  reporter: Reporter;
  signal: AbortSignal;
}

/** Passages that are hashed before others may work. */
const HASHED_AT_ONCE = 10_000;

async function hashDocuments(documents: readonly Document[], signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for (const [i, document] of documents.entries()) {
    if (i % HASHED_AT_ONCE === HASHED_AT_ONCE - 1) {
      await new Promise(setImmediate);
      throwIfCancelled(signal);
    }
    hash.update(`${JSON.stringify(document)}\n`);
  }
  return hash.digest("hex");
}

/** Passages of a table that have no vector yet, by the keys of their texts. */
class Missing {
  private readonly places = new Map<string, number[]>();
  private readonly keys: readonly string[];

  constructor(keys: readonly string[], missing: readonly number[]) {
    this.keys = keys;
    for (const place of missing) {
      const key = keys[place] as string;
      const those = this.places.get(key);
      if (those) those.push(place);
      else this.places.set(key, [place]);
    }
  }

  /** Of equal texts the first alone. */
  get firsts(): number[] {
    return [...this.places.values()].map(([first]) => first as number);
  }

  /** All places of a text, which are missing no longer. */
  take(key: string): number[] {
    const places = this.places.get(key) ?? [];
    this.places.delete(key);
    return places;
  }

  takeAt(place: number): number[] {
    return this.take(this.keys[place] as string);
  }

  get isEmpty(): boolean {
    return this.places.size === 0;
  }
}

/** What is to be written together. */
class Rows {
  private places: number[] = [];
  private vectors: Float32Array[] = [];

  constructor(
    private readonly store: KeptVectorStore,
    private readonly documents: readonly Document[],
  ) {}

  add(places: readonly number[], vector: Float32Array): void {
    for (const place of places) {
      this.places.push(place);
      this.vectors.push(vector);
    }
  }

  async write(): Promise<void> {
    const d = this.store.dimensions;
    const [places, own] = [this.places.splice(0), this.vectors.splice(0)];
    const vectors = new Float32Array(own.length * d);
    own.forEach((vector, i) => {
      vectors.set(vector, i * d);
    });
    await this.store.put(
      places,
      places.map((place) => this.documents[place] as Document),
      vectors,
    );
  }
}

async function fill(
  store: KeptVectorStore,
  documents: readonly Document[],
  encoder: PassageEncoder,
  { kind, indexPath, reporter, signal }: OpenKeptStoreOptions,
): Promise<void> {
  const texts = documents.map(({ fmt_content }) => fmt_content);
  const keys = await textKeys(texts, signal);
  const places = await store.missing();
  const missing = new Missing(keys, places);
  if (places.length > 0 && places.length < texts.length)
    reporter.info(
      `${kind}: ${places.length} of ${texts.length} passages are missing in an unfinished table, which is gone on with.`,
    );
  const rows = new Rows(store, documents);
  let reused = 0;
  const found = (key: string, vector: Float32Array): void => {
    const those = missing.take(key);
    reused += those.length;
    if (those.length > 0) rows.add(those, vector.slice());
  };
  const write = async (): Promise<void> => {
    throwIfCancelled(signal);
    await rows.write();
  };
  if (indexPath !== undefined && !missing.isEmpty) {
    await checkIndexPath(indexPath);
    await new VectorParts(encoderFolder(indexPath, encoder), encoder).read(found, write);
  }
  if (!missing.isEmpty) await store.readOthers(found, write);
  if (reused > 0) reporter.info(`${kind}: vectors of ${reused} passages were there already, by their texts.`);
  const firsts = missing.firsts;
  if (firsts.length > 0) {
    const put = async (at: readonly number[], made: Float32Array): Promise<void> => {
      const d = encoder.dimensions;
      at.forEach((place, i) => {
        rows.add(missing.takeAt(place), made.subarray(i * d, (i + 1) * d));
      });
      await rows.write();
    };
    await embedMissing(texts, encoder, { missing: firsts, put }, { reporter, signal });
  }
  await store.finish({ reporter, signal });
}

/** Opens the table of these passages and this encoder, and fills it where it is not whole. */
export async function openKeptStore(
  documents: readonly Document[],
  encoder: PassageEncoder,
  options: OpenKeptStoreOptions,
): Promise<VectorStore> {
  const { kind, row, url, reporter, signal } = options;
  row.check(url);
  const table: StoreTable = {
    url: url ?? "",
    encoder: hashText(`${encoder.fingerprint} ${encoder.dimensions}`),
    dimensions: encoder.dimensions,
    documents: await hashDocuments(documents, signal),
    passages: documents.length,
  };
  const open = async (use: (store: KeptVectorStore) => Promise<void>): Promise<KeptVectorStore> => {
    const store = await row.open(table);
    try {
      await use(store);
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  const store = await open(async () => {});
  if (store.whole) {
    reporter.info(`${kind}: the table ${tableName(table)} has all ${documents.length} passages.`);
    return store;
  }
  await store.close();
  // Looked at again under the lock: another process may have made it whole meanwhile.
  return row.exclusive(
    table,
    (own) =>
      open(async (again) => (again.whole ? undefined : fill(again, documents, encoder, { ...options, signal: own }))),
    { reporter, signal },
  );
}
