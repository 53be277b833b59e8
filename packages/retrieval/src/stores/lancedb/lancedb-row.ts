import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "@lancedb/lancedb";
import { readJsonIfThere, UserError, withFolderLock, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import { type KeptStoreRow, type KeptVectorStore, type StoreTable, tableName, tablePrefix } from "../kept-store.js";
import { lanceSchema } from "./lance-rows.js";
import { LanceStore, lanceFailure } from "./lance-store.js";
import { LANCEDB_PACKAGES, type LanceDbLibrary, loadLanceDb, requireLanceDb } from "./lancedb-library.js";

/** Beside a table: what it holds, and whether all of it is there. */
const markSchema = z.object({
  format: z.literal("rag-ft-lancedb"),
  version: z.literal(1),
  encoder: z.string(),
  documents: z.string(),
  dimensions: z.number().int(),
  passages: z.number().int(),
  whole: z.boolean(),
});
type Mark = z.infer<typeof markSchema>;

export interface LanceRowOptions {
  load?: typeof loadLanceDb;
  /** Passages above which a graph is built. */
  indexAbove?: number;
}

const markPath = (table: StoreTable): string => join(table.url, `${tableName(table)}.json`);

const markOf = ({ encoder, documents, dimensions, passages }: StoreTable, whole: boolean): Mark => ({
  ...{ format: "rag-ft-lancedb", version: 1 },
  ...{ encoder, documents, dimensions, passages, whole },
});

/** What is said of the table; undefined where there is none. @throws UserError where it is another's. */
async function readMark(table: StoreTable, names: readonly string[]): Promise<Mark | undefined> {
  const path = markPath(table);
  const mark = await readJsonIfThere(
    path,
    markSchema,
    "expected what rag-ft writes beside a table of LanceDB, found something else. Remove the file and the table's folder.",
  );
  const name = tableName(table);
  if (!mark && names.includes(name))
    throw new UserError(
      `${table.url}: the table ${name} has no ${name}.json beside it, so that nobody knows what it holds. Remove the folder ${name}.lance, or give vector_store_url another folder.`,
    );
  const { encoder, documents, dimensions, passages } = table;
  for (const [key, wanted] of Object.entries({ encoder, documents, dimensions, passages }))
    if (mark && mark[key as keyof Mark] !== wanted)
      throw new UserError(
        `${path}: expected ${key} ${wanted}, found ${mark[key as keyof Mark]}: the table is of another model or of other passages. Give vector_store_url another folder.`,
      );
  return mark;
}

async function connect({ lancedb }: LanceDbLibrary, { url }: StoreTable): Promise<Connection> {
  try {
    await mkdir(url, { recursive: true });
    return await lancedb.connect(url);
  } catch (cause) {
    throw new UserError(
      `vector_store_url: ${url} cannot be made or opened as a folder (${(cause as Error).message}). Give it another folder.`,
      { cause },
    );
  }
}

async function openTable(
  table: StoreTable,
  { load = loadLanceDb, indexAbove }: LanceRowOptions,
): Promise<KeptVectorStore> {
  const library = await requireLanceDb(load);
  const connection = await connect(library, table);
  const name = tableName(table);
  const where = join(table.url, `${name}.lance`);
  try {
    const names = await connection.tableNames();
    const mark = await readMark(table, names);
    if (!mark) await writeJsonAtomic(markPath(table), markOf(table, false));
    const opened = names.includes(name)
      ? await connection.openTable(name)
      : await connection.createEmptyTable(name, lanceSchema(library, table.dimensions), { existOk: true });
    const size = await opened.countRows();
    return new LanceStore({
      ...{ library, table: opened, place: table, where, size, indexAbove },
      whole: mark?.whole === true && size === table.passages,
      mark: () => writeJsonAtomic(markPath(table), markOf(table, true)),
      others: () =>
        Promise.all(
          names
            .filter((one) => one.startsWith(tablePrefix(table)) && one !== name)
            .map((one) => connection.openTable(one)),
        ),
    });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw lanceFailure(where, "opening", cause);
  }
}

/** LanceDB: embedded, in a folder; vectors, passages and full-text search on the disk. */
export function lanceDbRow(options: LanceRowOptions = {}): KeptStoreRow {
  const { load = loadLanceDb } = options;
  return {
    place: "a folder",
    missing: async () => ((await load()) ? undefined : `LanceDB is not installed (npm install ${LANCEDB_PACKAGES})`),
    check(url) {
      if (url === undefined || /^[a-z][\w+.-]+:\/\//i.test(url))
        throw new UserError(
          `vector_store lancedb keeps its tables in a folder, ${url === undefined ? "and none is named" : "found a URL"}. Give --vector_store_url FOLDER, or RAG_FT_VECTOR_STORE_URL.`,
        );
    },
    open: (table) => openTable(table, options),
    exclusive: (table, work, { signal }) =>
      withFolderLock(join(table.url, `${tableName(table)}.writing`), work, { signal }),
  };
}
