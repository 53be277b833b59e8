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

/** Names for files whose columns are divided by tabs, as BEIR's are, or by spaces, as TREC's are. */
export interface NamesOptions {
  columns?: "tabs" | "spaces";
}

const divides = (name: string, columns: NamesOptions["columns"]): boolean =>
  columns === "spaces" ? /\s/.test(name) : /[\t\r\n]/.test(name);

/**
 * What other programs call passages: the id that their metadata keep of them, where it is that of one passage alone and can stand in a column, else that of our
 * own files. All passages of a text that was cut have the text's id.
 *
 * @param documents All that are named, the database and gold passages, so that a name is the same wherever it is written.
 */
export function passageNames(
  documents: Iterable<Document>,
  { columns = "tabs" }: NamesOptions = {},
): (document: Document) => string {
  /** Whose an id is; undefined where it is that of several. */
  const owners = new Map<string, string | undefined>();
  const given = ({ metadata: { id } }: Document): string | undefined =>
    typeof id === "string" && id !== "" && !divides(id, columns) ? id : undefined;
  for (const document of documents) {
    const id = given(document);
    if (id === undefined) continue;
    const own = documentId(document);
    owners.set(id, owners.has(id) && owners.get(id) !== own ? undefined : own);
  }
  return (document) => {
    const id = given(document);
    return id !== undefined && owners.get(id) !== undefined ? id : documentId(document);
  };
}

/** What other programs call a question: its own id, else its place in its file, counted from 1. */
export function queryName(
  { query_id }: Pick<JudgedQuestion, "query_id">,
  place: number,
  { columns = "tabs" }: NamesOptions = {},
): string {
  return query_id === undefined || divides(query_id, columns) ? `q${place + 1}` : query_id;
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
  const nameOf = passageNames([...documents, ...questions.flatMap(({ gold_docs }) => gold_docs)]);
  const lines = questions.flatMap((question, i) =>
    question.gold_docs.map(
      (gold, k) => `${queryName(question, i)}\t${nameOf(gold)}\t${question.gold_relevance?.[k] ?? 1}\n`,
    ),
  );
  return {
    corpus: documents.map((document) => {
      const { title = "", ...metadata } = document.metadata;
      return { _id: nameOf(document), title, text: textOf(document), metadata };
    }),
    queries: questions.map((question, i) => ({ _id: queryName(question, i), text: retrievalQuery(question) })),
    qrels: `query-id\tcorpus-id\tscore\n${lines.join("")}`,
  };
}
