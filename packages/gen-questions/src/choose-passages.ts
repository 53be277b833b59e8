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

/** Why a passage is not asked about, before any is; in the order in which it is looked at. */
export type LeftOut =
  | "empty"
  | "repeats a passage of its source"
  | "too few in its source"
  | "too short"
  | "by its URL";

/** Is told of each passage that is left out. */
export type OnLeftOut = (reason: LeftOut) => void;

const unseen: OnLeftOut = () => {};

/** Passages by source, in the database's order, without empty ones and repetitions. */
export function uniqueBySource(documents: readonly Document[], onLeftOut = unseen): Map<string, Document[]> {
  const groups = new Map<string, Document[]>();
  for (const document of documents) {
    if (document.page_content.trim() === "") {
      onLeftOut("empty");
      continue;
    }
    const kept = groups.get(document.metadata.source) ?? [];
    groups.set(document.metadata.source, kept);
    const repeated = kept.slice(-RECENT).some((earlier) => repeats(earlier.page_content, document.page_content));
    if (repeated) onLeftOut("repeats a passage of its source");
    else kept.push(document);
  }
  return groups;
}

/** Whether the domain wants a passage: long enough, and kept by the chance that its URL has. */
export function passesFilter(
  document: Document,
  filter: DomainConfig["passage_filter"],
  random: Random,
  onLeftOut = unseen,
): boolean {
  if (wordCount(document.page_content) < filter.min_words) {
    onLeftOut("too short");
    return false;
  }
  const weight = filter.url_weights.find((entry) => document.metadata.source.includes(entry.contains))?.weight ?? 1;
  const passes = weight >= 1 || random.next() < weight;
  if (!passes) onLeftOut("by its URL");
  return passes;
}

export interface ChooseOptions {
  /** Draws the hard negatives that a small source lacks from other sources. Left out: such a source is left out, the reference's rule. */
  elsewhere?: Random;
  onLeftOut?: OnLeftOut;
}

/** Passages drawn from other sources for each one that is wanted, at most: some say what the gold one says. */
const DRAWS = 20;

/**
 * Up to `count` passages of other sources that do not repeat the gold one: that hold at most half of its runs of three words. Single words say less there: pages
 * of one template share half of theirs.
 */
function fromElsewhere(gold: Document, pool: readonly Document[], count: number, random: Random): Document[] {
  const found = new Set<Document>();
  const runs = shingles(gold.page_content);
  for (let draw = 0; draw < count * DRAWS && found.size < count && pool.length > 0; draw++) {
    const other = pool[random.integer(pool.length)] as Document;
    if (other.metadata.source === gold.metadata.source) continue;
    if (containment(runs, shingles(other.page_content)) <= MAX_OVERLAP) found.add(other);
  }
  return [...found];
}

/**
 * The gold passages with their hard negatives.
 *
 * 1. Group by source; drop empty passages and repetitions.
 * 2. Each passage that passes the domain's filter is gold; its hard negatives are drawn from the rest of its source.
 * 3. A source that cannot give every passage its hard negatives gives those it has; the others come from elsewhere, or it is left out.
 */
export function choosePassages(
  documents: readonly Document[],
  filter: DomainConfig["passage_filter"],
  hardNegatives: number,
  random: Random,
  { elsewhere, onLeftOut = unseen }: ChooseOptions = {},
): PassageRow[] {
  const rows: PassageRow[] = [];
  const groups = [...uniqueBySource(documents, onLeftOut).values()];
  const pool = groups.flat();
  for (const group of groups) {
    const missing = Math.max(0, hardNegatives + 1 - group.length);
    if (missing > 0 && !elsewhere) {
      for (const _ of group) onLeftOut("too few in its source");
      continue;
    }
    for (const gold of group) {
      if (!passesFilter(gold, filter, random, onLeftOut)) continue;
      const others = group.filter((other) => other !== gold);
      const negatives = random.sample(others, Math.min(hardNegatives, others.length));
      if (elsewhere) negatives.push(...fromElsewhere(gold, pool, missing, elsewhere));
      rows.push({ gold_docs: [gold], hard_neg_docs: negatives, chat_history: [] });
    }
  }
  return rows;
}
