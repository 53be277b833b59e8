// Scores are kept as they are made: each question's line is added to `<output_file>.partial`, and the file itself is written whole at the end, questions in
// their order. A run that was stopped goes on behind the last line; lines of an earlier file are used as far as teacher, question and passages are the same.
import { rm } from "node:fs/promises";
import {
  DataError,
  type Document,
  documentId,
  hashText,
  openAppendLog,
  pathKind,
  retrievalQuery,
  type StageContext,
  throwIfCancelled,
  writeJsonl,
} from "@rag-ft/core";
import { type PassageScores, readPassageScores } from "@rag-ft/retrieval";
import type { OpenedTeacher, TeacherQuestion } from "./teacher.js";

export interface Scored {
  rows: PassageScores[];
  /** Questions whose scores an earlier run had made. */
  kept: number;
}

/** A question, what is scored of it, and the hash of all that decides its scores. */
interface Work {
  question: TeacherQuestion;
  passages: readonly Document[];
  key: string;
}

async function scoreOne(
  { teacher, score }: OpenedTeacher,
  { question, passages, key }: Work,
  signal: AbortSignal,
): Promise<PassageScores> {
  const scores = await score(question, passages, signal);
  const bad = scores.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new DataError(
      `${teacher.model}: its score of passage ${passages[bad] ? documentId(passages[bad]) : ""} for ${JSON.stringify(question.question)} is ${scores[bad]}, expected a finite number. Its weights may be damaged: try it on one question, or give another model.`,
    );
  return {
    version: 1,
    question: retrievalQuery(question),
    passages: passages.map((passage, i) => ({
      id: documentId(passage),
      source: passage.metadata.source,
      score: scores[i] as number,
    })),
    scored_by: teacher,
    key,
  };
}

/** Scores what an earlier run has not, and writes the file whole. */
export async function scoreAll(
  questions: readonly TeacherQuestion[],
  passages: readonly (readonly Document[])[],
  opened: OpenedTeacher,
  output: string,
  { reporter, signal }: Pick<StageContext, "reporter" | "signal">,
): Promise<Scored> {
  const partial = `${output}.partial`;
  const log = await openAppendLog(partial);
  const known = new Map<string, PassageScores>();
  for (const path of [output, partial])
    if (await pathKind(path))
      for (const { row } of await readPassageScores(path, { allowEmpty: true })) known.set(row.key, row);
  const work = questions.map((question, i): Work => {
    const own = passages[i] ?? [];
    const decides = [opened.teacher.hash, opened.reads(question), own.map(({ fmt_content }) => fmt_content)];
    return { question, passages: own, key: hashText(JSON.stringify(decides)).slice(0, 16) };
  });
  const kept = work.filter(({ key }) => known.has(key)).length;
  if (known.size > 0)
    reporter.info(
      `${output}: scores of ${kept} of ${work.length} questions are there already${kept < known.size ? "; others were of another model, question or passage" : ""}`,
    );
  const progress = reporter.start("scoring", work.length, kept);
  let done = kept;
  try {
    for (const one of work) {
      if (known.has(one.key)) continue;
      throwIfCancelled(signal);
      const row = await scoreOne(opened, one, signal);
      await log.add(row);
      known.set(one.key, row);
      progress.update(++done);
    }
  } finally {
    progress.stop();
  }
  const rows = work.map(({ key }) => known.get(key) as PassageScores);
  await writeJsonl(output, rows);
  await rm(partial, { force: true });
  return { rows, kept };
}
