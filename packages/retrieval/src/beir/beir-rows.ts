import { type AskedQuestion, type Document, documentId, retrievalQuery } from "@rag-ft/core";

/** Files of a BEIR folder (Thakur et al. 2021). */
export const BEIR_FILES = { corpus: "corpus.jsonl", queries: "queries.jsonl", qrels: "qrels/test.tsv" } as const;

/** Rows of a BEIR folder. */
export interface BeirRows {
  corpus: { _id: string; title: string; text: string; metadata: Record<string, unknown> }[];
  queries: { _id: string; text: string }[];
  /** A tab between its columns, with a heading. */
  qrels: string;
}

type JudgedQuestion = AskedQuestion & { gold_docs: readonly Document[]; relevance?: readonly number[] | undefined };

/**
 * A database and questions with their gold passages as BEIR has them; a passage is known by the id that our own files give it, a question by its place.
 *
 * @param textOf What stands as a passage's text; its title stands beside.
 */
export function beirRows(
  documents: readonly Document[],
  questions: readonly JudgedQuestion[],
  textOf: (document: Document) => string = ({ page_content }) => page_content,
): BeirRows {
  const title = ({ metadata }: Document): string => (typeof metadata.title === "string" ? metadata.title : "");
  const lines = questions.flatMap(({ gold_docs, relevance }, i) =>
    gold_docs.map((gold, k) => `${queryId(i)}\t${documentId(gold)}\t${relevance?.[k] ?? 1}\n`),
  );
  return {
    corpus: documents.map((document) => ({
      ...{ _id: documentId(document), title: title(document), text: textOf(document), metadata: document.metadata },
    })),
    queries: questions.map((question, i) => ({ _id: queryId(i), text: retrievalQuery(question) })),
    qrels: `query-id\tcorpus-id\tscore\n${lines.join("")}`,
  };
}

/** A question's id by its place in its file, counted from 0. */
export function queryId(place: number): string {
  return `q${place + 1}`;
}
