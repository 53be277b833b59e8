import { expect, test } from "vitest";
import { z } from "zod";
import { checkRetrieval } from "./hybrid-weight.js";
import { namedStore, storeSettings } from "./store-settings.js";
import { STORE_URL_VARIABLE } from "./stores/store-url.js";

const schema = z.object(storeSettings);

test("a URL comes from the setting, else from the environment", () => {
  const env = { [STORE_URL_VARIABLE]: "/from/env" };
  expect(namedStore({ vector_store: "lancedb" }, env)).toEqual({ kind: "lancedb", url: "/from/env" });
  expect(namedStore({ vector_store: "lancedb", vector_store_url: "here" }, env)).toEqual({
    kind: "lancedb",
    url: "here",
  });
  expect(() => namedStore({ vector_store: "lancedb" }, {})).toThrow(
    /--vector_store_url FOLDER, or RAG_FT_VECTOR_STORE/,
  );
  expect(() => namedStore({ vector_store: "pgvector" }, { [STORE_URL_VARIABLE]: "mysql://a:secret@b/c" })).toThrow(
    /expected a URL postgresql:\/\/user@host\/database, found something else/,
  );
  // Set for other runs, it is none of a store's in memory.
  expect(namedStore({}, env)).toBeUndefined();
  expect(namedStore({ vector_store: "hnsw" }, env)).toEqual({ kind: "hnsw" });
});

test("a URL that nothing reads, and a store where nothing searches by vectors, are refused", () => {
  expect(() => namedStore({ vector_store_url: "x" }, {})).toThrow(/found --vector_store auto/);
  expect(() => checkRetrieval({ retrieval: "bm25", vector_store: "lancedb" })).toThrow(/found --retrieval bm25/);
  expect(() => checkRetrieval({ retrieval: "dense", vector_store: "lancedb" })).not.toThrow();
});

test("a password is refused as a setting, and the refusal does not hold it", () => {
  for (const url of [
    "postgresql://me:s3cret@db/docs",
    "postgresql://db/docs?password=s3cret",
    "postgresql://db/docs?user=u&PASSWORD=s3cret",
    "postgresql://me:s3cret/#x@db/docs",
  ]) {
    const { success, error } = schema.safeParse({ vector_store_url: url });
    expect(success).toBe(false);
    expect(JSON.stringify(error)).not.toContain("s3cret");
    expect(error?.issues[0]?.message).toMatch(/RAG_FT_VECTOR_STORE_URL.*PGPASSWORD/);
  }
  expect(schema.parse({ vector_store_url: "postgresql://me@db/docs" }).vector_store).toBe("auto");
});
