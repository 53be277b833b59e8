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

/** A question with how relevant its gold passages are, and what other programs call it. */
export type JudgedQuestion = AskedQuestion & {
  gold_docs: readonly Document[];
  /** One a gold passage, in their order; 1 each when left out. */
  gold_relevance?: readonly number[] | undefined;
  query_id?: string | undefined;
};

/** What other programs call a passage: the id that its metadata keep of them, else that of our own files. */
export function passageName(document: Document): string {
  const { id } = document.metadata;
  return typeof id === "string" && id !== "" ? id : documentId(document);
}

/** What other programs call a question: its own id, else its place in its file, counted from 1. */
export function queryName({ query_id }: Pick<JudgedQuestion, "query_id">, place: number): string {
  return query_id ?? `q${place + 1}`;
}

/**
 * A database and questions with their gold passages as BEIR has them.
 *
 * @param textOf What stands as a passage's text; its title stands beside.
 */
export function beirRows(
  documents: readonly Document[],
  questions: readonly JudgedQuestion[],
  textOf: (document: Document) => string = ({ page_content }) => page_content,
): BeirRows {
  const lines = questions.flatMap((question, i) =>
    question.gold_docs.map(
      (gold, k) => `${queryName(question, i)}\t${passageName(gold)}\t${question.gold_relevance?.[k] ?? 1}\n`,
    ),
  );
  return {
    corpus: documents.map((document) => {
      const { title = "", ...metadata } = document.metadata;
      return { _id: passageName(document), title, text: textOf(document), metadata };
    }),
    queries: questions.map((question, i) => ({ _id: queryName(question, i), text: retrievalQuery(question) })),
    qrels: `query-id\tcorpus-id\tscore\n${lines.join("")}`,
  };
}
