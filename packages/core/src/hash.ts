import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Document, documentKey } from "./document.js";

/** SHA-256 of bytes, in hexadecimal. */
export function hashBytes(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256 of a text, in hexadecimal. */
export function hashText(text: string): string {
  return hashBytes(text);
}

/** Short stable id of a passage: the first 16 hexadecimal digits of the hash of its source and content. */
export function documentId(document: Pick<Document, "page_content" | "metadata">): string {
  return hashText(documentKey(document)).slice(0, 16);
}

/** SHA-256 of a file's bytes, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** SHA-256 of rows in order, each as its JSON, in hexadecimal. */
export function hashRows(rows: Iterable<unknown>): string {
  const hash = createHash("sha256");
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest("hex");
}
