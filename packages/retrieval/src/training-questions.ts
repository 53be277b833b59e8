import {
  type AskedQuestion,
  type Document,
  distinctDocuments,
  documentKey,
  type QuestionsRow,
  retrievalQuery,
} from "@rag-ft/core";
import { normalisedQuestion } from "@rag-ft/text";

/** One question with the passages that answer it, and such as do not. */
export interface RetrievalExample extends AskedQuestion {
  gold_docs: Document[];
  hard_neg_docs: Document[];
}

/** One example a question. Without a dialogue it has no key for one, so that trainings of earlier versions are resumed. */
export function flattenQuestions(rows: readonly QuestionsRow[]): RetrievalExample[] {
  return rows.flatMap(({ questions, gold_docs, hard_neg_docs, chat_history }) => {
    const dialogue = chat_history.length > 0 ? { chat_history } : {};
    return questions.map((question) => ({ question, gold_docs, hard_neg_docs, ...dialogue }));
  });
}

/**
 * The examples, with the gold passages of all that ask the same behind each one's own: a passage that answers the question in one row is no
 * negative of it in another.
 */
export function withGoldOfSameQuestion(examples: readonly RetrievalExample[]): RetrievalExample[] {
  // "And its default?" asks something else in another dialogue.
  const askedAs = (example: RetrievalExample): string => {
    const query = retrievalQuery(example);
    return normalisedQuestion(query) || query.trim();
  };
  const gold = new Map<string, Document[]>();
  for (const example of examples) {
    const known = gold.get(askedAs(example));
    if (known) known.push(...example.gold_docs);
    else gold.set(askedAs(example), [...example.gold_docs]);
  }
  return examples.map((example) => {
    const own = new Set(example.gold_docs.map(documentKey));
    const others = distinctDocuments(gold.get(askedAs(example)) ?? []).filter((other) => !own.has(documentKey(other)));
    return others.length === 0 ? example : { ...example, gold_docs: [...example.gold_docs, ...others] };
  });
}
