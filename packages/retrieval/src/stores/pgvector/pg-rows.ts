import { DataError, type Document } from "@rag-ft/core";
import type { MetadataFilter } from "../../metadata-filter.js";
import type { Candidates } from "../best-of-candidates.js";
import { storedPassages } from "../stored-passage.js";

/** Vectors as PostgreSQL reads them; 9 digits give every number of single precision back. */
export function vectorText(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => Number(value.toPrecision(9))).join(",")}]`;
}

/** Rows of one INSERT. */
export const ROWS_AT_ONCE = 500;

/** Columns of passages with their vectors, as the parameters of `insertSql`. */
export async function insertColumns(
  places: readonly number[],
  documents: readonly Document[],
  vectors: Float32Array,
): Promise<unknown[]> {
  const d = vectors.length / documents.length;
  const stored = await storedPassages(places, documents);
  for (const { id, text, rest } of stored)
    if (text.includes("\0") || rest.includes("\\u0000"))
      throw new DataError(
        `Passage ${id + 1} holds a NUL character, which PostgreSQL cannot keep. Remove it from the documents, or take --vector_store lancedb.`,
      );
  return [
    places,
    stored.map(({ key }) => key),
    stored.map(({ text }) => text),
    stored.map(({ rest }) => rest),
    documents.map(({ metadata }) => JSON.stringify(metadata)),
    documents.map((_, i) => vectorText(vectors.subarray(i * d, (i + 1) * d))),
  ];
}

/** A row that is there stays: another writer had it first. */
export const insertSql = (table: string): string => `
  INSERT INTO ${table} (id, key, text, rest, metadata, embedding)
  SELECT id, key, text, rest, metadata::jsonb, embedding::vector
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS rows (id, key, text, rest, metadata, embedding)
  ON CONFLICT (id) DO NOTHING`;

/** A filter as SQL, with its parameters from number `from` on. A key that a passage does not have is NULL, and fits nothing. */
export function filterSql(filter: MetadataFilter | undefined, from: number): { sql: string; parameters: unknown[] } {
  const parameters: unknown[] = [];
  const parts = Object.entries(filter ?? {}).map(([key, wanted]) => {
    const values = (Array.isArray(wanted) ? wanted : [wanted]).map((value) => JSON.stringify(value));
    parameters.push(key, values);
    const number = from + parameters.length - 2;
    return `metadata -> $${number}::text = ANY ($${number + 1}::jsonb[])`;
  });
  return { sql: parts.map((part) => ` AND ${part}`).join(""), parameters };
}

/** What `vector_send` gives: the number of dimensions and an unused one, each 16 bits, then big-endian floats. */
export function readVector(base64: string, into: Float32Array): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  for (let i = 0; i < into.length; i++) into[i] = bytes.readFloatBE(4 + 4 * i);
  return into;
}

/** A vector as a column of a result: a third shorter than PostgreSQL's usual hexadecimal. pg reads no binary results. */
export const VECTOR_COLUMN = "encode(vector_send(embedding), 'base64') AS vector";

export interface VectorRow {
  id: number;
  /** Base64. */
  vector: string;
}

export function candidatesOf(rows: readonly VectorRow[], dimensions: number): Candidates {
  const vectors = new Float32Array(rows.length * dimensions);
  rows.forEach(({ vector }, i) => {
    readVector(vector, vectors.subarray(i * dimensions, (i + 1) * dimensions));
  });
  return { ids: rows.map(({ id }) => id), vectors };
}
