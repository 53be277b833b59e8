import type { Document } from "@rag-ft/core";
import { overlap } from "@rag-ft/text";
import { type Candidate, isName, type SentenceContext } from "./candidate.js";
import { headingQuestion } from "./heading-rules.js";
import { itemQuestion } from "./item-rules.js";
import { plainText, proseBlocks } from "./passage-blocks.js";
import { sentenceRules } from "./sentence-rules.js";
import { isReadable, splitSentences, wordCount } from "./sentences.js";
import { subjectOf } from "./subject.js";

/** Answers shorter than this take the next sentence along, when it reads well and both stay short enough. */
const SHORT_ANSWER = 9;
const MAX_ANSWER = 40;
/** A question that says this much of its answer gives it away. */
const MAX_ECHO = 0.75;

function withNext(sentences: readonly string[], index: number): string {
  const first = sentences[index] ?? "";
  const next = sentences[index + 1];
  if (next === undefined || wordCount(first) >= SHORT_ANSWER || !isReadable(next, 3)) return first;
  return wordCount(first) + wordCount(next) <= MAX_ANSWER ? `${first} ${next}` : first;
}

function isSensible({ question, answer }: Candidate): boolean {
  const words = wordCount(question);
  return words >= 3 && words <= 24 && !/[`*]|\]\(/.test(question) && overlap(question, answer) < MAX_ECHO;
}

/** `> Does this and that` right under the title says what the package does. */
function tagline(text: string, context: SentenceContext): Candidate | undefined {
  const { subject, headings, opensSection } = context;
  const title = headings[0];
  if (
    !subject ||
    !title ||
    headings.length > 1 ||
    !isName(title, subject) ||
    !opensSection ||
    wordCount(text) < 4 ||
    wordCount(text) > 30
  )
    return undefined;
  if (/[:?]$/.test(text)) return undefined;
  const sentence = /[.!]$/.test(text) ? text : `${text}.`;
  if (
    !isReadable(sentence, 4) ||
    /^(you|this|these|install|warning|note|see|please|if|when|important|available as|copyright)\b/i.test(text)
  )
    return undefined;
  return {
    question: `What is the purpose of ${subject}?`,
    answer: text,
    rule: "tagline",
    score: 0.9,
  };
}

/** Every question that the rules find in a passage, in the order of the text. */
export function findCandidates(document: Pick<Document, "page_content" | "metadata">): Candidate[] {
  const subject = subjectOf(document);
  const found: Candidate[] = [];
  for (const block of proseBlocks(document.page_content)) {
    if (block.kind === "item") {
      const item = itemQuestion(block.text, block.headings, subject);
      if (item) {
        found.push(item);
        continue;
      }
    }
    const sentences = splitSentences(block.text);
    let opening = block.first && block.kind === "paragraph";
    for (const [index, sentence] of sentences.entries()) {
      const context: SentenceContext = {
        sentence,
        plain: plainText(sentence),
        subject,
        headings: block.headings,
        opensSection: opening,
      };
      const said = opening && index === 0 ? tagline(sentence, context) : undefined;
      if (said) found.push(said);
      if (!isReadable(sentence)) continue;
      opening = false;
      const answer = withNext(sentences, index);
      const heading = headingQuestion(context);
      if (heading) found.push({ ...heading, answer });
      for (const rule of sentenceRules) {
        const candidate = rule(context);
        if (candidate) {
          found.push({ ...candidate, answer });
          break;
        }
      }
    }
  }
  return found.filter(isSensible);
}
