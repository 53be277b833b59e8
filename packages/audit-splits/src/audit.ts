import { type Document, distinctDocuments, documentId, documentKey } from "@rag-ft/core";
import { NearDuplicates, QuestionSet, words } from "@rag-ft/text";
import { chunkOverlap } from "./chunk-overlap.js";

/** What two splits may have in common, worst first. */
export const LEAKS = [
  "duplicate_question",
  "paraphrased_question",
  "same_passage",
  "near_duplicate_passage",
  "overlapping_chunks",
] as const;
export type LeakKind = (typeof LEAKS)[number];

/** The questions of a split, each with its gold passages. */
export interface SplitRows {
  split: string;
  rows: readonly { question: string; gold_docs: readonly Document[] }[];
}

/** Two things in two splits, in the order of the splits: questions by their text, passages by `documentId`. */
export interface Leak {
  kind: LeakKind;
  splits: readonly [string, string];
  items: readonly [string, string];
  /** For people: questions, or sources of passages. */
  shown: readonly [string, string];
}

export interface AuditOptions {
  passageOverlap: number;
  questionOverlap: number;
  chunkWords: number;
  signal?: AbortSignal;
}

interface Passage {
  split: number;
  document: Document;
}

/**
 * All leaks between two splits. A pair is counted once, as the worst that it is. Passages are compared with each other exactly (see
 * `NearDuplicates`), chunks within a source, questions by the words that carry their meaning.
 */
export async function auditRows(splits: readonly SplitRows[], options: AuditOptions): Promise<Leak[]> {
  return [...questionLeaks(splits, options), ...(await passageLeaks(splits, options))];
}

function questionLeaks(splits: readonly SplitRows[], { questionOverlap }: AuditOptions): Leak[] {
  const leaks: Leak[] = [];
  const sets: { split: string; questions: string[]; set: QuestionSet }[] = [];
  for (const { split, rows } of splits) {
    const questions = [...new Set(rows.map(({ question }) => question))];
    for (const earlier of sets)
      for (const question of questions)
        for (const { id, kind } of earlier.set.same(question)) {
          const pair = [earlier.questions[id] as string, question] as const;
          leaks.push({
            kind: `${kind === "duplicate" ? "duplicate" : "paraphrased"}_question`,
            splits: [earlier.split, split],
            items: pair,
            shown: pair,
          });
        }
    const set = new QuestionSet({ overlapAbove: questionOverlap });
    for (const question of questions) set.add(question);
    sets.push({ split, questions, set });
  }
  return leaks;
}

async function passageLeaks(splits: readonly SplitRows[], options: AuditOptions): Promise<Leak[]> {
  const passages: Passage[] = splits.flatMap(({ rows }, split) =>
    distinctDocuments(rows.flatMap(({ gold_docs }) => gold_docs)).map((document) => ({ split, document })),
  );
  const near = await NearDuplicates.find(
    passages.map(({ document }) => document.page_content),
    { above: options.passageOverlap, ...(options.signal ? { signal: options.signal } : {}) },
  );
  const leaks: Leak[] = [];
  const add = (kind: LeakKind, a: Passage, b: Passage): void => {
    const both = [a.document, b.document] as const;
    leaks.push({
      kind,
      splits: [splits[a.split]?.split as string, splits[b.split]?.split as string],
      items: [documentId(both[0]), documentId(both[1])],
      shown: [both[0].metadata.source, both[1].metadata.source],
    });
  };
  const bySource = new Map<string, number[]>();
  for (const [id, { document }] of passages.entries()) {
    const ids = bySource.get(document.metadata.source);
    if (ids) ids.push(id);
    else bySource.set(document.metadata.source, [id]);
  }
  const cut = new Map<number, string[]>();
  const wordsAt = (id: number): string[] => {
    const known = cut.get(id) ?? words((passages[id] as Passage).document.page_content);
    cut.set(id, known);
    return known;
  };
  for (const [id, passage] of passages.entries()) {
    const later = (other: number): boolean => (passages[other] as Passage).split > passage.split;
    const copies = near.near(id).filter(later);
    const key = documentKey(passage.document);
    for (const other of copies) {
      const found = passages[other] as Passage;
      add(documentKey(found.document) === key ? "same_passage" : "near_duplicate_passage", passage, found);
    }
    for (const other of bySource.get(passage.document.metadata.source) ?? [])
      if (later(other) && !copies.includes(other) && chunkOverlap(wordsAt(id), wordsAt(other), options.chunkWords) > 0)
        add("overlapping_chunks", passage, passages[other] as Passage);
  }
  return leaks;
}
