import { DataError, readLines, requireFile } from "@rag-ft/core";

/** How relevant passages are, by the ids of a question and of each passage. */
export type Qrels = Map<string, Map<string, number>>;

/** A whole number, or one with a point. */
const GRADE = /^-?\d+(\.\d+)?$/;

/**
 * Reads judgements: BEIR's three columns with a heading (query-id, corpus-id, score), or TREC's four (query, 0, passage, relevance). Spaces or tabs stand between.
 *
 * @throws UserError without such a file; DataError with the line of one that is malformed, or of a pair that is judged twice in two ways.
 */
export async function readQrels(path: string): Promise<Qrels> {
  await requireFile(path, "judgements (query-id, corpus-id, score)");
  const qrels: Qrels = new Map();
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    const columns = line
      .replace(/^\uFEFF/, "")
      .trim()
      .split(line.includes("\t") ? "\t" : /\s+/);
    if (columns.join("") === "" || (number === 1 && Number.isNaN(Number(columns.at(-1))))) continue;
    const [query = "", passage = "", score = ""] =
      columns.length === 4 ? [columns[0], columns[2], columns[3]] : columns;
    if ((columns.length !== 3 && columns.length !== 4) || query === "" || passage === "" || !GRADE.test(score))
      throw new DataError(
        `${path}:${number}: found ${JSON.stringify(line.slice(0, 80))}, expected query-id, corpus-id and score with tabs between.`,
      );
    const judged = qrels.get(query) ?? new Map<string, number>();
    const known = judged.get(passage);
    if (known !== undefined && known !== Number(score))
      throw new DataError(
        `${path}:${number}: ${query} and ${passage} have score ${score} here and ${known} before: which holds?`,
      );
    qrels.set(query, judged.set(passage, Number(score)));
  }
  if (qrels.size === 0) throw new DataError(`${path}: no judgement in it. Expected query-id, corpus-id and score.`);
  return qrels;
}
