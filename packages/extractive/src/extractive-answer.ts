import type { Document } from "@rag-ft/core";
import { commonTokens, squadTokens } from "@rag-ft/text";
import { findCandidates } from "./find-candidates.js";
import { proseBlocks } from "./passage-blocks.js";
import { isReadable, splitSentences } from "./sentences.js";

const STOP_WORDS = new Set(
  "what how do does is are i can my me in with of for to and or if when about work happens should use on by from it you".split(
    " ",
  ),
);

const terms = (text: string): string[] => squadTokens(text).filter((token) => !STOP_WORDS.has(token));

/**
 * One or two sentences of the passage that answer the question: the ones a rule made it from, else the sentence that
 * shares the most terms with it. Undefined when no sentence shares any.
 */
export function extractiveAnswer(
  document: Pick<Document, "page_content" | "metadata">,
  question: string,
): string | undefined {
  const made = findCandidates(document).find((candidate) => candidate.question === question);
  if (made) return made.answer;
  const asked = [...new Set(terms(question))];
  let best: { sentence: string; score: number } | undefined;
  for (const block of proseBlocks(document.page_content)) {
    for (const sentence of splitSentences(block.text)) {
      if (!isReadable(sentence)) continue;
      const heading = terms(block.headings.at(-1) ?? "");
      const score = commonTokens(asked, terms(sentence)) + commonTokens(asked, heading) / 2;
      if (score > (best?.score ?? 0)) best = { sentence, score };
    }
  }
  return best?.sentence;
}
