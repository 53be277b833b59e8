import type { Document } from "../document.js";
import { InternalError } from "../errors.js";

/** Placeholder until the pickle reader lands. */
export async function readPickleDocuments(path: string): Promise<Document[]> {
  throw new InternalError(`${path}: pickle reading is being written`);
}
