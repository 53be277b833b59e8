import type { FoundPassage, SystemAnswer } from "@rag-ft/answer";
import { breadcrumb, documentId } from "@rag-ft/core";

/** Where a passage can be read: its link, else its source. */
function placeOf({ document: { metadata } }: FoundPassage): string {
  return typeof metadata.link === "string" ? metadata.link : metadata.source;
}

/** The passages of an answer, best first: score, place, and what the page calls it. */
export function passageLines(passages: readonly FoundPassage[]): string {
  return passages
    .map((passage, i) => {
      const title = breadcrumb(passage.document.metadata);
      return `[${i + 1}] ${passage.score.toFixed(3)}  ${placeOf(passage)}${title ? `\n           ${title}` : ""}\n`;
    })
    .join("");
}

/** An answer as a line of JSON has it. */
export function answerRow(question: string, { text, passages, ...answer }: SystemAnswer): object {
  return {
    question,
    answer: text,
    finish_reason: answer.finish_reason,
    seconds: Number(answer.seconds.toFixed(3)),
    ...(answer.usage ? { usage: answer.usage } : {}),
    dropped_passages: answer.dropped_passages,
    passages: passages.map(({ document, score }) => ({
      id: documentId(document),
      score,
      source: document.metadata.source,
      page_content: document.page_content,
      metadata: document.metadata,
    })),
  };
}
