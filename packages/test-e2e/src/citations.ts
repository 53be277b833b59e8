import { type Document, findCitations, stripCitations } from "@rag-ft/core";
import { isSupported, type JudgedCitation } from "@rag-ft/metrics";
import { holdsPassage } from "@rag-ft/retrieval";
import { sentences } from "@rag-ft/text";

/** A citation of an answer, as test-predictions.jsonl has it. */
export interface CheckedCitation extends JudgedCitation {
  number: number;
}

/** Citations after a full stop belong to the sentence that it ends. */
const AFTER_A_STOP = /([.!?。！？]+)((?:\s*\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*\])+)/g;

/**
 * Every citation of an answer: whether the prompt had such a passage, and whether this is a gold one, holds what a gold one says, or has more than 80 % of the
 * words of the sentence that cites it.
 *
 * @param passages Those of the prompt, in its order.
 */
export function checkCitations(
  answer: string,
  passages: readonly Document[],
  gold: readonly Document[],
): CheckedCitation[] {
  const sentenceByCitations = sentences(answer.replace(AFTER_A_STOP, "$2$1"));
  return sentenceByCitations.flatMap((sentence) => {
    const statement = stripCitations(sentence);
    return findCitations(sentence).flatMap(({ numbers }) =>
      numbers.map((number): CheckedCitation => {
        const passage = passages[number - 1];
        const right =
          passage !== undefined &&
          (gold.some((one) => holdsPassage(passage, one)) || isSupported(statement, [passage.fmt_content]));
        return { number, valid: passage !== undefined, right };
      }),
    );
  });
}
