import type { Document, QuestionsRow, Random } from "@rag-ft/core";
import type { DomainConfig } from "@rag-ft/llm";
import { beyondLatin, containment, overlap, shingles, wordCount } from "@rag-ft/text";

/** A passage to ask about, with its hard negatives; the start of a `*_w_q.jsonl` row. */
export type PassageRow = Pick<QuestionsRow, "gold_docs" | "hard_neg_docs" | "chat_history">;

/** A passage that overlaps more than this with a recent one of its source is a repetition. */
const MAX_OVERLAP = 0.5;
/** Kept passages of the same source that a passage is compared with. */
const RECENT = 3;

/**
 * Whether a passage says more than half of what an earlier one says: by words, as the reference counts; in other scripts than Latin by pairs of
 * words, since particles, which are words there, make up half of any two texts.
 */
function repeats(earlier: string, passage: string): boolean {
  if (beyondLatin(passage)) return containment(shingles(passage, 2), shingles(earlier, 2)) > MAX_OVERLAP;
  return overlap(earlier, passage) > MAX_OVERLAP;
}

/** Passages by source, in the database's order, without empty ones and repetitions. */
export function uniqueBySource(documents: readonly Document[]): Map<string, Document[]> {
  const groups = new Map<string, Document[]>();
  for (const document of documents) {
    if (document.page_content.trim() === "") continue;
    const kept = groups.get(document.metadata.source) ?? [];
    groups.set(document.metadata.source, kept);
    const repeated = kept.slice(-RECENT).some((earlier) => repeats(earlier.page_content, document.page_content));
    if (!repeated) kept.push(document);
  }
  return groups;
}

/** Whether the domain wants a passage: long enough, and kept by the chance that its URL has. */
export function passesFilter(document: Document, filter: DomainConfig["passage_filter"], random: Random): boolean {
  if (wordCount(document.page_content) < filter.min_words) return false;
  const weight = filter.url_weights.find((entry) => document.metadata.source.includes(entry.contains))?.weight ?? 1;
  return weight >= 1 || random.next() < weight;
}

/**
 * The gold passages with their hard negatives.
 *
 * 1. Group by source; drop empty passages and repetitions.
 * 2. Skip a source that cannot give every passage its hard negatives.
 * 3. Each passage that passes the domain's filter is gold; its hard negatives are drawn from the rest of its source.
 */
export function choosePassages(
  documents: readonly Document[],
  filter: DomainConfig["passage_filter"],
  hardNegatives: number,
  random: Random,
): PassageRow[] {
  const rows: PassageRow[] = [];
  for (const group of uniqueBySource(documents).values()) {
    if (group.length < hardNegatives + 1) continue;
    for (const gold of group) {
      if (!passesFilter(gold, filter, random)) continue;
      const others = group.filter((other) => other !== gold);
      rows.push({ gold_docs: [gold], hard_neg_docs: random.sample(others, hardNegatives), chat_history: [] });
    }
  }
  return rows;
}
