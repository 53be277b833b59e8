import { type Document, documentKey } from "@rag-ft/core";
import { CONTAINED_ABOVE, containment, type Shingles, shingles } from "@rag-ft/text";

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

/** Whether a passage is the gold one, or has more than 80 % of its words, each as often as it comes there: it holds what the gold one says. */
export function holdsPassage(passage: Document, gold: Document): boolean {
  return documentKey(passage) === documentKey(gold) || containment(wordsOf(gold), wordsOf(passage)) > CONTAINED_ABOVE;
}

/** Whether more than 80 % of a passage's words are in the gold one: a part of it, which need not hold the answer. */
export function isFragment(passage: Document, gold: Document): boolean {
  return containment(wordsOf(passage), wordsOf(gold)) > CONTAINED_ABOVE;
}
