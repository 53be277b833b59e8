import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { createDocument, createRandom, DataError, hashText, silentReporter, UserError } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKeptStore } from "../../open-kept-store.js";
import type { PassageEncoder } from "../../passage-encoder.js";
import { type StoreTable, tableName } from "../kept-store.js";
import { MemoryStore } from "../memory/memory-store.js";
import { startPglite } from "../testing/pglite-server.js";
import { type PostgresServer, postgresMissing, startPostgres } from "../testing/postgres-server.js";
import { pgFailure } from "./pgvector-library.js";
import { pgVectorRow } from "./pgvector-row.js";

const D = 8;
let tables = 0;
const tableOf = (url: string, passages: number): StoreTable => ({
  ...{ url, dimensions: D, passages, documents: hashText("d") },
  encoder: hashText(`e${++tables}`),
});
const documentsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => createDocument(`passage number ${i}`, { source: "s" }));
const signal = new AbortController().signal;
const reporter = silentReporter;

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Exact search must be met nearly, with the same scores; within a filter it must be met. */
async function expectNearlyExact(url: string): Promise<void> {
  const size = 2000;
  const random = createRandom(1);
  const vectors = Float32Array.from({ length: size * D }, () => random.next() * 2 - 1);
  const queries = Float32Array.from({ length: 20 * D }, () => random.next() * 2 - 1);
  const table = tableOf(url, size);
  const store = await pgVectorRow({ indexAbove: 1000, connections: 1 }).open(table);
  const exact = new MemoryStore(D);
  for (const one of [store, exact]) await one.add(documentsOf(size), vectors);
  await store.finish();
  expect(await sql(url, `SELECT to_regclass('${tableName(table)}_embedding') IS NOT NULL AS made`)).toEqual([
    { made: true },
  ]);
  const [found, best] = [await store.search(queries, { limit: 10 }), await exact.search(queries, { limit: 10 })];
  let hits = 0;
  found.forEach(({ ids, scores }, q) => {
    const known = new Map(Array.from(best[q]?.ids ?? [], (id, i) => [id, best[q]?.scores[i]]));
    ids.forEach((id, i) => {
      if (!known.has(id)) return;
      hits++;
      expect(scores[i]).toBe(known.get(id));
    });
  });
  expect(hits / 200).toBeGreaterThan(0.95);
  expect(await store.search(queries, { limit: 10, filter: { source: ["s"] } })).toEqual(best);
  // Deeper than a graph is searched.
  expect(await store.search(queries, { limit: 1100 })).toEqual(await exact.search(queries, { limit: 1100 }));
  await store.close();
}

test("without the client a sentence says what to install", async () => {
  const row = pgVectorRow({ load: async () => undefined });
  expect(await row.missing()).toMatch(/npm install pg/);
  await expect(row.open(tableOf("postgresql://x/y", 1))).rejects.toThrow(/npm install pg@8/);
});

test("wants a URL of PostgreSQL, and prints none", () => {
  expect(() => pgVectorRow().check(undefined)).toThrow(/none is given.*RAG_FT_VECTOR_STORE_URL/);
  expect(() => pgVectorRow().check("redis://me:secret@host")).toThrow(/^((?!secret).)*found something else/);
});

test("failures of a server are sentences with what to do, without the password", () => {
  const url = "postgresql://me:s3cr%25et@db.example:5432/docs?x=1";
  const said = (code: string, message: string): string =>
    pgFailure(url, "writing", Object.assign(new Error(message), { code })).message;
  expect(said("28P01", 'password authentication failed for user "me"')).toMatch(
    /refuses the user or the password.*PGPASSWORD/,
  );
  expect(said("53100", "could not extend file")).toMatch(/disk is full/);
  expect(said("53300", "too many clients")).toMatch(/max_connections/);
  expect(said("XX000", "broken with s3cr%et in it")).toBe(
    "PostgreSQL at postgresql://db.example:5432/docs: failed while writing (broken with … in it). What was written before is kept: give the command again, or drop the table, which is then made anew.",
  );
  for (const code of ["ECONNREFUSED", "ECONNRESET", "3D000", "42501", "0A000"]) {
    const text = said(code, "s3cr%et s3cr%25et");
    expect(text).toMatch(/^PostgreSQL at postgresql:\/\/db\.example:5432\/docs: .*\.$/);
    expect(text).not.toMatch(/s3cr|me:/);
  }
});

test("a server that is not there is named", async () => {
  const opened = pgVectorRow().open(tableOf("postgresql://me:secret@127.0.0.1:1/docs", 1));
  await expect(opened).rejects.toThrow(UserError);
  await expect(opened).rejects.toThrow(
    /^PostgreSQL at postgresql:\/\/127\.0\.0\.1:1\/docs: does not answer \(ECONNREFUSED\)\. Start it/,
  );
});

test("a server without pgvector says what to install there", async () => {
  const db = await PGlite.create();
  const server = new PGLiteSocketServer({ db, port: 0, host: "127.0.0.1", maxConnections: 10 });
  await server.start();
  const url = `postgresql://postgres@${server.getServerConn()}/postgres`;
  await expect(pgVectorRow({ connections: 1 }).open(tableOf(url, 1))).rejects.toThrow(
    /has no pgvector .*Install it on the server/,
  );
  await server.stop();
  await db.close();
});

describe("on PGlite", () => {
  let server: Awaited<ReturnType<typeof startPglite>>;
  beforeAll(async () => {
    server = await startPglite();
  });
  afterAll(() => server.close());
  const row = pgVectorRow({ connections: 1 });

  test("a graph finds nearly all that exact search finds, with the same scores", () => expectNearlyExact(server.url));

  test("a table that nobody described, or that is of another model, is refused and stays", async () => {
    const table = tableOf(server.url, 2);
    const name = tableName(table);
    const store = await row.open(table);
    await store.add(documentsOf(2), new Float32Array(2 * D));
    await store.finish();
    await store.close();
    const other = { ...table, encoder: `${table.encoder.slice(0, 40)}${"0".repeat(24)}` };
    await expect(row.open(other)).rejects.toThrow(/should have encoder .*found .*of another model/);
    await expect(row.open({ ...table, dimensions: 4 })).rejects.toThrow(/should have dimensions 4, found 8/);
    await sql(server.url, `DELETE FROM rag_ft_tables WHERE name = '${name}'`);
    await expect(row.open(table)).rejects.toThrow(/has no row in rag_ft_tables.*DROP TABLE rag_ft_/);
    expect(await sql(server.url, `SELECT count(*)::integer AS rows FROM ${name}`)).toEqual([{ rows: 2 }]);
  });

  test("a table that lost rows, or went, after it was whole is not taken for whole", async () => {
    const table = tableOf(server.url, 3);
    const name = tableName(table);
    const store = await row.open(table);
    await store.add(documentsOf(3), new Float32Array(3 * D));
    await store.finish();
    await store.close();
    for (const harm of [`DELETE FROM ${name} WHERE id = 1`, `DROP TABLE ${name}`]) {
      await sql(server.url, harm);
      const again = await row.open(table);
      expect(again.whole).toBe(false);
      expect(await again.missing()).toEqual(harm.startsWith("DROP") ? [0, 1, 2] : [1]);
      await again.close();
    }
  });

  test("a table that is dropped while it is searched, and a text that PostgreSQL cannot keep, are sentences", async () => {
    const table = tableOf(server.url, 2);
    const store = await row.open(table);
    await store.add(documentsOf(1), new Float32Array(D));
    const nul = store.add([createDocument("a\0b", { source: "s" })], new Float32Array(D));
    await expect(nul).rejects.toThrow(/Passage 2 holds a NUL character.*--vector_store lancedb/);
    await expect(store.finish()).rejects.toThrow(/1 passages of 2 are missing/);
    await sql(server.url, `DROP TABLE ${tableName(table)}`);
    const search = store.search(new Float32Array(D), { limit: 1 });
    await expect(search).rejects.toThrow(DataError);
    await expect(search).rejects.toThrow(/failed while searching \(relation .* does not exist\)/);
    await store.close();
  });
});

const missing = postgresMissing();
test.skipIf(missing === undefined)("is not tested on a server here", () => {
  console.warn(`pgvector on a server: ${missing}`);
});

describe.skipIf(missing !== undefined)("on a server", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());
  const words = ["red", "green", "blue"];
  const documents = documentsOf(300);
  const open = (encoder: PassageEncoder, row = pgVectorRow()) =>
    openKeptStore(documents, encoder, {
      kind: "pgvector",
      row,
      url: server.url,
      indexPath: undefined,
      reporter,
      signal,
    });

  test("a graph finds nearly all that exact search finds, with the same scores", () => expectNearlyExact(server.url));

  test("a database that is not there is named", async () => {
    const url = server.url.replace(/postgres$/, "nowhere");
    await expect(pgVectorRow().open(tableOf(url, 1))).rejects.toThrow(/\/nowhere: the server has no such database/);
  });

  test("who may only read opens a whole table, and is told what he may not", async () => {
    const table = tableOf(server.url, 1);
    const store = await pgVectorRow().open(table);
    await store.add(documentsOf(1), new Float32Array(D).fill(1));
    await store.finish();
    await store.close();
    await sql(server.url, "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    const url = server.url.replace("tester@", "reader@");
    const read = await pgVectorRow().open({ ...table, url });
    expect(read.whole).toBe(true);
    expect(await read.search(new Float32Array(D).fill(1), { limit: 1 })).toMatchObject([
      { scores: new Float64Array([8]) },
    ]);
    await read.close();
    await expect(pgVectorRow().open(tableOf(url, 1))).rejects.toThrow(/the user may not do what opening needs/);
  });

  test("a server that dies in the middle of a write: what was written is gone on with", async () => {
    const encoder = { ...createWordEncoder(words), fingerprint: "dies in a write" };
    const dying: PassageEncoder = {
      ...encoder,
      textsPerCall: 100,
      async embed(...call) {
        if (encoder.calls.length === 1) {
          server.crash();
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        return encoder.embed(...call);
      },
    };
    await expect(open(dying)).rejects.toThrow(
      /^PostgreSQL at postgresql:\/\/127\.0\.0\.1:\d+\/postgres: (the connection was lost while writing|does not answer)/,
    );
    await server.start();
    const store = await open({ ...encoder, textsPerCall: 100 });
    const embedded = encoder.calls.flatMap(({ texts }) => texts);
    // The call whose vectors met the dead server is made again; the first is not.
    expect(new Set(embedded).size).toBe(300);
    expect(embedded).toHaveLength(400);
    expect(store.size).toBe(300);
    await store.close();
  });

  test("a server that dies during searches is a sentence, and searches go on when it is back", async () => {
    const store = await open({ ...createWordEncoder(words), fingerprint: "dies in a search" });
    const query = new Float32Array(3).fill(1);
    const before = await store.search(query, { limit: 3 });
    server.crash();
    const failing = (async () => {
      for (let i = 0; i < 200; i++) await store.search(query, { limit: 3 });
    })();
    await expect(failing).rejects.toThrow(/(the connection was lost while searching|does not answer)/);
    await server.start();
    expect(await store.search(query, { limit: 3 })).toEqual(before);
    await store.close();
  });

  test("a writer waits for another one, and takes over what a dead one left", async () => {
    const encoder = { ...createWordEncoder(words), fingerprint: "two writers" };
    const holder = new Client({ connectionString: server.url });
    await holder.connect();
    let name = "";
    const row = pgVectorRow();
    const told: string[] = [];
    const opening = openKeptStore(documents, encoder, {
      ...{ kind: "pgvector", url: server.url, indexPath: undefined, signal },
      reporter: { ...reporter, info: (line) => void told.push(line) },
      row: {
        ...row,
        async exclusive(table, work, options) {
          name = tableName(table);
          await holder.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", [name]);
          return row.exclusive(table, work, options);
        },
      },
    });
    while (!told.some((line) => line.includes("waiting for it")))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(encoder.calls).toHaveLength(0);
    // As of a process that was killed: the server lets its locks go.
    await holder.end();
    const store = await opening;
    expect(store.size).toBe(300);
    await store.close();
  });
});

test("a password with a bare percent sign is told, and not printed", () => {
  const check = (url: string): void => pgVectorRow().check(url);
  expect(() => check("postgresql://u:s3cr%zz@db.test/docs")).toThrow(/^(?!.*s3cr).*db\.test holds a %.*%25/);
  expect(() => check("postgresql://u:s3cr%25zz@db.test/docs")).not.toThrow();
});
