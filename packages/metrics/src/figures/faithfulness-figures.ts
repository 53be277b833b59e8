import { CONTAINED_ABOVE, commonTokens, sentences, words } from "@rag-ft/text";
import type { FigureRow } from "./figure.js";

/** An answer with what the prompt gave it to go by. */
export interface GroundedAnswer {
  answer: string;
  /** Texts of the prompt's passages, at least one. */
  passages: readonly string[];
}

/** Share of a's words that b also has, each as often as it comes there; undefined when a has none. */
function shareOfWords(a: readonly string[], b: readonly string[]): number | undefined {
  return a.length === 0 ? undefined : commonTokens(b, a) / a.length;
}

/** Whether one passage has more than 80 % of a statement's words: it may stand there in another order, but hardly by chance. */
export function isSupported(statement: string, passages: readonly string[]): boolean {
  const said = words(statement);
  return passages.some((passage) => (shareOfWords(said, words(passage)) ?? 0) > CONTAINED_ABOVE);
}

const ANSWER = { part: "answer", better: "greater", share: true } as const;

/** Figures of how far an answer keeps to its passages, by overlap. An answer that refuses, and one without passages, have none. */
export const FAITHFULNESS_FIGURES: readonly FigureRow<GroundedAnswer>[] = [
  {
    ...ANSWER,
    key: "faithful_words",
    title: "words from the passages",
    heading: "from passages",
    about:
      "share of the answer's words that stand in the prompt's passages taken together, each as often as it comes there (K-Precision, Adlakha et al. 2023, over words of all scripts); refusals and prompts without passages have none",
    level: "wide",
    of: ({ answer, passages }) =>
      shareOfWords(
        words(answer),
        passages.flatMap((text) => words(text)),
      ),
  },
  {
    ...ANSWER,
    key: "faithful_sentences",
    title: "sentences from a passage",
    about: "share of the answer's sentences of which a single passage of the prompt has more than 80 % of the words",
    level: "own",
    of({ answer, passages }) {
      const all = sentences(answer).filter((sentence) => words(sentence).length > 0);
      if (all.length === 0) return undefined;
      return all.filter((sentence) => isSupported(sentence, passages)).length / all.length;
    },
  },
];
