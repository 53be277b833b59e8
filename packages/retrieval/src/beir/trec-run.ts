import { DataError, readLines, requireFile } from "@rag-ft/core";
import { rankByScore } from "@rag-ft/metrics";

/** Passages of each question with their scores, by ids. */
export type TrecRun = Map<string, Map<string, number>>;

/** What was found for a question, best first. */
export interface FoundFor {
  query: string;
  passages: readonly string[];
  scores: readonly number[];
}

/** A score as programs print it; JavaScript would take 0x10 and Infinity, too. */
const SCORE = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Lines of a run as trec_eval reads it: query, Q0, passage, rank, score, name of the system. */
export function* trecLines(found: Iterable<FoundFor>, system: string): Generator<string> {
  const name = system.replace(/\s+/g, "_");
  for (const { query, passages, scores } of found) {
    // trec_eval orders by score alone, and a passage counts once.
    const seen = new Set<string>();
    let rank = 0;
    for (const [i, passage] of passages.entries()) {
      if (seen.has(passage)) continue;
      seen.add(passage);
      rank++;
      yield `${query} Q0 ${passage} ${rank} ${scores[i] ?? 0} ${name}\n`;
    }
  }
}

/**
 * Reads a run. Ranks are those of the scores, as for trec_eval: the column of ranks is not looked at.
 *
 * @throws UserError without such a file; DataError with the line of one that is malformed, or of a passage that a question has twice.
 */
export async function readTrecRun(path: string): Promise<TrecRun> {
  await requireFile(path, "a run (query Q0 passage rank score system)");
  const run: TrecRun = new Map();
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    const columns = line.trim().split(/\s+/);
    if (columns.length === 1 && columns[0] === "") continue;
    const [query = "", , passage = "", , score = ""] = columns;
    if (columns.length !== 6 || !SCORE.test(score))
      throw new DataError(
        `${path}:${number}: found ${JSON.stringify(line.slice(0, 80))}, expected six columns, the score a number: query Q0 passage rank score system.`,
      );
    const passages = run.get(query) ?? new Map<string, number>();
    if (passages.has(passage)) throw new DataError(`${path}:${number}: ${passage} stands twice for ${query}.`);
    run.set(query, passages.set(passage, Number(score)));
  }
  if (run.size === 0) throw new DataError(`${path}: the run is empty.`);
  return run;
}

/** A question's passages, best first, in trec_eval's order. */
export function rankedPassages(run: TrecRun, query: string): { passages: string[]; scores: number[] } {
  const scores = run.get(query) ?? new Map<string, number>();
  const passages = rankByScore(scores);
  return { passages, scores: passages.map((id) => scores.get(id) ?? 0) };
}
