import type { Document } from "@rag-ft/core";
import type { Schema, Table, Vector } from "apache-arrow";
import type { MetadataFilter } from "../../metadata-filter.js";
import type { Candidates } from "../best-of-candidates.js";
import { storedPassages } from "../stored-passage.js";
import type { LanceDbLibrary } from "./lancedb-library.js";

/** What a filter may ask for: a key of the metadata with its value, as one text. */
const fact = (key: string, value: unknown): string => JSON.stringify([key, value]);

const factsOf = ({ metadata }: Document): string[] =>
  Object.entries(metadata).flatMap(([key, value]) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [fact(key, value)] : [],
  );

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A filter in the database's SQL: of each key one of the facts. */
export function lanceFilter(filter: MetadataFilter): string | undefined {
  const parts = Object.entries(filter).map(([key, wanted]) => {
    const values = Array.isArray(wanted) ? wanted : [wanted];
    if (values.length === 0) return "false";
    return `array_has_any(facts, make_array(${values.map((value) => quoted(fact(key, value))).join(", ")}))`;
  });
  return parts.length === 0 ? undefined : parts.join(" AND ");
}

/** The columns of a table. */
export function lanceSchema({ arrow }: LanceDbLibrary, dimensions: number): Schema {
  const { Field, FixedSizeList, Float32, Int32, List, Schema, Utf8 } = arrow;
  return new Schema([
    new Field("id", new Int32(), false),
    new Field("key", new Utf8(), false),
    new Field("text", new Utf8(), false),
    new Field("rest", new Utf8(), false),
    new Field("facts", new List(new Field("item", new Utf8(), true)), true),
    new Field("vector", new FixedSizeList(dimensions, new Field("item", new Float32(), true)), true),
  ]);
}

/** Passages with their vectors, `[documents, dimensions]`, as a table. */
export async function lanceRows(
  { arrow }: LanceDbLibrary,
  schema: Schema,
  places: readonly number[],
  documents: readonly Document[],
  vectors: Float32Array,
): Promise<Table> {
  const { FixedSizeList, Float32, List, Table, Utf8, makeData, makeVector, vectorFromArray } = arrow;
  const stored = await storedPassages(places, documents);
  const type = (name: string) => schema.fields.find((field) => field.name === name)?.type;
  const texts = (values: string[]): Vector => vectorFromArray(values, new Utf8());
  return new Table(schema, {
    id: makeVector(Int32Array.from(places)),
    key: texts(stored.map(({ key }) => key)),
    text: texts(stored.map(({ text }) => text)),
    rest: texts(stored.map(({ rest }) => rest)),
    facts: vectorFromArray(
      documents.map(factsOf),
      type("facts") as InstanceType<typeof List<InstanceType<typeof Utf8>>>,
    ),
    vector: makeVector(
      makeData({
        type: type("vector") as InstanceType<typeof FixedSizeList<InstanceType<typeof Float32>>>,
        length: documents.length,
        nullCount: 0,
        child: makeData({ type: new Float32(), data: vectors }),
      }),
    ),
  });
}

/** Places and vectors of what was found. */
export function candidatesOf(found: Table, dimensions: number): Candidates {
  const vectors = new Float32Array(found.numRows * dimensions);
  const ids = new Int32Array(found.numRows);
  let row = 0;
  for (const batch of found.batches) {
    ids.set(batch.getChild("id")?.toArray() as Int32Array, row);
    const column = batch.getChild("vector");
    for (let i = 0; i < batch.numRows; i++) vectors.set(column?.get(i)?.toArray() ?? [], (row + i) * dimensions);
    row += batch.numRows;
  }
  return { ids, vectors };
}
