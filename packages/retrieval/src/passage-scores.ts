// Scores that a teacher gave passages of questions, kept in a file: score-passages writes it, train-retriever learns from it.
import {
  type AskedQuestion,
  DataError,
  type Document,
  documentId,
  type NumberedRow,
  readNumberedJsonl,
  retrievalQuery,
} from "@rag-ft/core";
import { z } from "zod";

/** `reranker`: logits of a cross-encoder; `generator`: mean log-likelihood of a token of the gold answer, given the passage. */
export const TEACHER_KINDS = ["reranker", "generator"] as const;
export type TeacherKind = (typeof TEACHER_KINDS)[number];

export const passageScoresSchema = z.looseObject({
  version: z.literal(1),
  /** As it is searched by, with the turns before it. */
  question: z.string(),
  /** Distinct passages, gold ones first. */
  passages: z
    .array(
      z.looseObject({
        /** `documentId`: another passage has another one. */
        id: z.string(),
        /** For people. */
        source: z.string(),
        score: z.number(),
      }),
    )
    .min(1),
  scored_by: z.looseObject({
    kind: z.enum(TEACHER_KINDS),
    /** As it was named. */
    model: z.string(),
    /** Of its weights and of how it reads. */
    hash: z.string(),
  }),
  /** Hash of all that decided the scores: a line is used again as long as it is the same. */
  key: z.string(),
});

/** A line of a file of scores. */
export type PassageScores = z.infer<typeof passageScoresSchema>;
export type Teacher = PassageScores["scored_by"];

const WHAT = "scores of passages (score-passages: question, passages with id and score, scored_by, key)";

/**
 * Reads a file of score-passages.
 *
 * @throws UserError when it is not there, DataError when a line is none of its, such as with a score that is no number.
 */
export function readPassageScores(
  path: string,
  { allowEmpty = false }: { allowEmpty?: boolean } = {},
): Promise<NumberedRow<PassageScores>[]> {
  return readNumberedJsonl(path, passageScoresSchema, {
    what: WHAT,
    allowEmpty,
    explain: (row) =>
      typeof row === "object" && row !== null && ("questions" in row || "gold_answer" in row)
        ? "This looks like a file of questions: run score-passages on it, and name the file that it writes."
        : undefined,
  });
}

/** A question's passages, the gold one first, and what the teacher says of each. */
export interface ScoredPassages {
  passages: readonly Document[];
  scores: readonly number[];
}

/** A question and passages that are known beside the database. */
export interface Learner extends AskedQuestion {
  gold_docs: readonly Document[];
  hard_neg_docs: readonly Document[];
}

export interface TeacherScores {
  teacher: Teacher;
  /** One an example, in their order; of an example without scores its gold passage alone. */
  lists: ScoredPassages[];
  /** Examples without scores. */
  missing: Learner[];
}

/** Why a file no longer fits, in one place: what to do is always the same. */
const again = (path: string): string => `Run score-passages again with ${path}: what has not changed is kept.`;

/**
 * What a file of scores says of each example.
 *
 * @throws DataError when no example has scores, when the gold passage of one that has some has none, when a passage is not in the database as it was
 * scored, or when lines are of several teachers.
 */
export async function teacherScoresOf(
  path: string,
  examples: readonly Learner[],
  documents: readonly Document[],
): Promise<TeacherScores> {
  const rows = await readPassageScores(path);
  const teacher = onlyTeacher(path, rows);
  const byQuestion = new Map(rows.map((numbered) => [numbered.row.question, numbered]));
  const known = new Map<string, Document>();
  for (const { gold_docs, hard_neg_docs } of examples)
    for (const document of [...hard_neg_docs, ...gold_docs]) known.set(documentId(document), document);
  for (const document of documents) known.set(documentId(document), document);
  const missing = examples.filter((example) => !byQuestion.has(retrievalQuery(example)));
  if (missing[0] && missing.length === examples.length)
    throw new DataError(
      `${path}: none of the ${examples.length} training questions has scores, such as ${JSON.stringify(missing[0].question)}: they are of other questions. ${again(path)}`,
    );
  const lists = examples.map((example): ScoredPassages => {
    const found = byQuestion.get(retrievalQuery(example));
    if (found === undefined) return { passages: example.gold_docs.slice(0, 1), scores: [0] };
    return resolveRow(`${path}:${found.line}`, found.row, example, known, again(path));
  });
  return { teacher, lists, missing };
}

function onlyTeacher(path: string, rows: readonly NumberedRow<PassageScores>[]): Teacher {
  const first = (rows[0] as NumberedRow<PassageScores>).row.scored_by;
  const other = rows.find(({ row }) => row.scored_by.hash !== first.hash);
  if (other)
    throw new DataError(
      `${path}:${other.line}: scored by another model (${other.row.scored_by.kind} ${other.row.scored_by.model}) than the first line (${first.kind} ${first.model}): their scores cannot be compared. ${again(path)}`,
    );
  return first;
}

/** The gold passage of the example first, then the others as the file has them. */
function resolveRow(
  place: string,
  row: PassageScores,
  { question, gold_docs }: Learner,
  known: ReadonlyMap<string, Document>,
  advice: string,
): ScoredPassages {
  const found = row.passages.map(({ id, source, score }) => {
    const document = known.get(id);
    if (document === undefined)
      throw new DataError(
        `${place}: a passage of ${source || "an unknown source"} (${id}) is not in the database: it has changed since it was scored, or this is another database. ${advice}`,
      );
    return { id, document, score };
  });
  const own = gold_docs[0] && documentId(gold_docs[0]);
  const gold = found.find(({ id }) => id === own);
  if (gold === undefined)
    throw new DataError(
      `${place}: the gold passage of ${JSON.stringify(question)} has no score: it is another one than was scored. ${advice}`,
    );
  const ordered = [gold, ...found.filter((one) => one !== gold)];
  return { passages: ordered.map(({ document }) => document), scores: ordered.map(({ score }) => score) };
}
