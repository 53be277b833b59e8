import { type Document, documentKey } from "@rag-ft/core";
import { areNear, type Shingles, shingles } from "@rag-ft/text";

/**
 * Single words, as the question is whether a passage holds what the other says, whatever the order; for removing or masking passages, runs of
 * three words are compared, which is the stricter measure.
 */
const SHINGLE_SIZE = 1;

const shinglesOf = new WeakMap<Document, Shingles>();

function wordsOf(document: Document): Shingles {
  const known = shinglesOf.get(document);
  if (known) return known;
  const made = shingles(document.page_content, SHINGLE_SIZE);
  shinglesOf.set(document, made);
  return made;
}

/** Whether two passages are the same, or one has more than 80 % of the other's words, each as often as it comes there. */
export function isNearPassage(a: Document, b: Document): boolean {
  return documentKey(a) === documentKey(b) || areNear(wordsOf(a), wordsOf(b));
}
