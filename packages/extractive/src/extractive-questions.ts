import type { Document } from "@rag-ft/core";
import { overlap } from "@rag-ft/text";
import type { Candidate } from "./candidate.js";
import { findCandidates } from "./find-candidates.js";

export interface ExtractedQuestion {
  question: string;
  answer: string;
}

/** Questions a passage, at most: as many as the reference asks a model for. */
const MAX_QUESTIONS = 2;
/** Two questions that share more of their words than this are one. */
const MAX_SIMILARITY = 0.7;

function differs(a: Candidate, b: Candidate): boolean {
  return (
    a.answer !== b.answer &&
    Math.max(overlap(a.question, b.question), overlap(b.question, a.question)) <= MAX_SIMILARITY
  );
}

/**
 * Up to two questions that the passage answers, found by rules over headings and sentences; the same for the same
 * passage, none for a passage without prose. Answers are one or two sentences of it, verbatim up to white space.
 */
export function extractiveQuestions(document: Pick<Document, "page_content" | "metadata">): ExtractedQuestion[] {
  // A stable sort: of equal scores the earlier in the text comes first.
  const ranked = findCandidates(document).sort((a, b) => b.score - a.score);
  const chosen: Candidate[] = [];
  for (const candidate of ranked) {
    if (chosen.length === MAX_QUESTIONS) break;
    if (chosen.every((other) => differs(other, candidate))) chosen.push(candidate);
  }
  return chosen.map(({ question, answer }) => ({ question, answer }));
}
