import type { Document, QuestionKind } from "@rag-ft/core";
import { overlap, squadTokens } from "@rag-ft/text";
import { type ExtractedQuestion, extractiveQuestions } from "./extractive-questions.js";
import { findCandidates } from "./find-candidates.js";

/** Kinds of questions that rules can make; a dialogue, or a question over two passages, takes somebody who understands them. */
export const EXTRACTIVE_KINDS: readonly QuestionKind[] = ["full", "keywords", "error_message", "how_to"];

/** Words that nobody types into a search box. */
const NOT_TYPED = new Set(
  "what which who how do does did is are was were i can my me in with of for to and or if when why about work works happens should use on by from it you say says purpose would will be".split(
    " ",
  ),
);

const MAX_QUESTIONS = 2;

/** The words of a question that say what it is about, as it spells them. */
function keywordsOf(question: string): string {
  const words = question.replace(/[?!.,;:]+(?=\s|$)/g, "").split(/\s+/);
  // An article has no token.
  return words.filter((word) => squadTokens(word).some((token) => !NOT_TYPED.has(token))).join(" ");
}

/** Between backticks or quotation marks, or a line of code by itself. */
const QUOTED =
  /`([^`\n]{8,120})`|"([^"\n]{8,120})"|“([^”\n]{8,120})”|^ {4,}(.{8,120})$|^(?=\S*(?:Error|Exception)\b)(.{8,120})$/gm;
const FAILS =
  /\b(?:\w*(?:error|exception|errno)|fatal|fail(?:ed|s|ure)?|cannot|can't|could not|unable to|denied|refused|not found|invalid|unexpected|undefined|timed out|E[A-Z]{4,})\b/i;

/** Messages that a passage quotes, with the sentence that rules find for them. */
function messagesOf({ page_content }: Pick<Document, "page_content">): string[] {
  const quoted = [...page_content.matchAll(QUOTED)].flatMap((match) => match.slice(1).find((text) => text) ?? []);
  const messages = quoted.map((text) => text.trim()).filter((text) => FAILS.test(text) && text.split(/\s+/).length > 2);
  return [...new Set(messages)];
}

function differ(questions: readonly string[]): string[] {
  const kept: string[] = [];
  for (const question of questions) {
    const same = kept.some((other) => Math.max(overlap(other, question), overlap(question, other)) > 0.7);
    if (!same && kept.length < MAX_QUESTIONS) kept.push(question);
  }
  return kept;
}

/** Up to two questions of a kind that the passage answers, found by rules; none of kinds that rules cannot make. */
export function extractiveQuestionsOfKind(
  document: Pick<Document, "page_content" | "metadata">,
  kind: QuestionKind,
): string[] {
  const asked = (found: readonly Pick<ExtractedQuestion, "question">[]): string[] =>
    found.map(({ question }) => question);
  switch (kind) {
    case "full":
      return asked(extractiveQuestions(document));
    case "how_to": {
      const ranked = findCandidates(document).sort((a, b) => b.score - a.score);
      return differ(asked(ranked).filter((question) => /^how (?:do|can) I\b/i.test(question)));
    }
    case "keywords": {
      const typed = asked(extractiveQuestions(document)).map(keywordsOf);
      return differ(typed.filter((text) => text.split(/\s+/).length > 1));
    }
    case "error_message":
      return differ(messagesOf(document));
    default:
      return [];
  }
}
