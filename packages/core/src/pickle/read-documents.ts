import { readFile, stat } from "node:fs/promises";
import { createDocument, type Document, type DocumentMetadata, metadataSchema } from "../document.js";
import { DataError } from "../errors.js";
import { describeIssues, requireFile } from "../jsonl.js";
import { PICKLE_LIMITS } from "./limits.js";
import { unpickle } from "./machine.js";
import { toPlainData } from "./plain-data.js";
import { describeValue, PickleObject, PickleTuple, type PickleValue } from "./values.js";

/**
 * The attributes of an instance. A plain class or dataclass has its `__dict__` as state; pydantic (1 and 2) wraps it as
 * `{"__dict__": …, "__fields_set__": …}`; a class with slots has the pair `(dict or None, slots)`.
 */
function attributesOf(state: PickleValue): Map<PickleValue, PickleValue> | undefined {
  if (state instanceof PickleTuple && state.items.length === 2) {
    const parts = state.items.filter((part) => part instanceof Map);
    return parts.length > 0 ? new Map(parts.flatMap((part) => [...part])) : undefined;
  }
  if (!(state instanceof Map)) return undefined;
  const inner = state.get("__dict__");
  return inner instanceof Map ? inner : state;
}

function toDocument(value: PickleValue, index: number, path: string): Document {
  const place = `${path}: item ${index}`;
  if (!(value instanceof PickleObject)) {
    throw new DataError(`${place}: found a ${describeValue(value)}, expected a Document.`);
  }
  const fail = (message: string): DataError => new DataError(`${place} (byte ${value.offset}): ${message}`);
  const attributes = attributesOf(value.state);
  if (!attributes)
    throw fail(`a Document whose state is a ${describeValue(value.state)}; expected a dict of attributes.`);
  const content = attributes.get("page_content");
  if (typeof content !== "string") {
    throw fail(`page_content is ${content === undefined ? "missing" : describeValue(content)}; expected a str.`);
  }
  const raw = attributes.get("metadata");
  if (!(raw instanceof Map)) {
    throw fail(`metadata is ${raw === undefined ? "missing" : describeValue(raw)}; expected a dict with "source".`);
  }
  const plain = toPlainData(raw, fail) as Record<string, unknown>;
  // A title of None (or of nan, as pandas leaves it) is no title.
  if (plain.title === null) delete plain.title;
  const parsed = metadataSchema.safeParse(plain);
  if (!parsed.success) throw fail(`metadata: ${describeIssues(parsed.error)}. Every passage needs a "source".`);
  const metadata: DocumentMetadata = parsed.data;
  const formatted = attributes.get("fmt_content");
  return typeof formatted === "string" && formatted !== ""
    ? { page_content: content, fmt_content: formatted, metadata }
    : createDocument(content, metadata);
}

/**
 * Reads the reference's document database, a pickled list of `Document` objects, without running any code from it.
 *
 * @throws UserError when the file is not there, DataError (with the byte's offset or the item's index) when it is truncated
 * or damaged, holds something else than documents, or names a class that is not the document class
 */
export async function readPickleDocuments(path: string): Promise<Document[]> {
  await requireFile(path, "a document database (.pkl)");
  const { size } = await stat(path);
  if (size > PICKLE_LIMITS.fileBytes) {
    throw new DataError(
      `${path}: ${size} bytes; at most ${PICKLE_LIMITS.fileBytes} are read. Save it as documents.jsonl.`,
    );
  }
  const value = unpickle(await readFile(path), path);
  const items = value instanceof PickleTuple ? value.items : value;
  if (!Array.isArray(items)) {
    throw new DataError(`${path}: the pickle holds a ${describeValue(value)}; expected a list of Document objects.`);
  }
  return items.map((item: PickleValue, index) => toDocument(item, index, path));
}
