import {
  type AskedQuestion,
  type Document,
  distinctDocuments,
  documentId,
  documentKey,
  hashRows,
  type QuestionsRow,
  readAskedQuestions,
  readDocuments,
  retrievalQuery,
  splitProcedureOf,
} from "@rag-ft/core";
import { normalisedQuestion } from "@rag-ft/text";

/** One question with the passages that answer it, and such as do not. */
export interface RetrievalExample extends AskedQuestion {
  gold_docs: Document[];
  hard_neg_docs: Document[];
}

/** A question in short, for a message, with the id of its gold passage. */
export const shownQuestion = ({ question, gold_docs: [gold] }: RetrievalExample): { text: string; id?: string } => ({
  text: question,
  ...(gold ? { id: documentId(gold) } : {}),
});

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
export function withGoldOfSameQuestion<Example extends RetrievalExample>(examples: readonly Example[]): Example[] {
  // "And its default?" asks something else in another dialogue.
  const askedAs = (example: Example): string => {
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

/** Where a training of a retriever or a reranker finds its questions. */
export interface TrainingFiles {
  full_dataset_file_path: string;
  train_file: string;
  eval_file: string;
  test_file?: string | undefined;
  /** Without training, its questions are not read. */
  do_train: boolean;
}

export interface TrainingQuestions {
  documents: readonly Document[];
  train: readonly RetrievalExample[];
  evaluation: readonly RetrievalExample[];
  test: readonly RetrievalExample[] | undefined;
  /** The procedure that split them. */
  splitBy: string;
}

/** Reads the database and the questions of a training. */
export async function readTrainingQuestions(files: TrainingFiles): Promise<TrainingQuestions> {
  const rows: QuestionsRow[][] = [];
  const read = async (path: string): Promise<RetrievalExample[]> => {
    const found = await readAskedQuestions(path);
    rows.push(found);
    return flattenQuestions(found);
  };
  return {
    documents: await readDocuments(files.full_dataset_file_path),
    train: files.do_train ? withGoldOfSameQuestion(await read(files.train_file)) : [],
    evaluation: await read(files.eval_file),
    test: files.test_file ? await read(files.test_file) : undefined,
    splitBy: splitProcedureOf(rows.flat()),
  };
}

/** The hashes of all that was read, by names for people: what decides a run's result besides settings and models. */
export function hashTrainingQuestions({
  documents,
  train,
  evaluation,
  test,
}: Omit<TrainingQuestions, "splitBy">): Record<string, string> {
  return {
    passages: hashRows(documents),
    "training questions": hashRows(train),
    "eval questions": hashRows(evaluation),
    ...(test ? { "test questions": hashRows(test) } : {}),
  };
}
