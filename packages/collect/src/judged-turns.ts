import { join } from "node:path";
import { pathKind, streamJsonl, type TurnRow, turnFileRowSchema, UserError, type VoteRow } from "@rag-ft/core";

/** Turns of a file, by what their users said of them last. */
export interface JudgedTurns {
  up: TurnRow[];
  down: number;
  flagged: number;
  /** Kept without a vote, or with one that was taken back. */
  unjudged: number;
}

async function turnsPath(given: string): Promise<string> {
  const kind = await pathKind(given);
  const path = kind === "folder" ? join(given, "turns.jsonl") : given;
  if ((await pathKind(path)) === "file") return path;
  throw new UserError(
    `${path}: no such file. Expected what rag-ft serve writes when users vote: turns.jsonl in the run's folder.`,
  );
}

/**
 * Reads a file of turns. Of the votes on a turn the last one counts.
 *
 * @throws UserError when there is no such file, DataError for a line that is malformed.
 */
export async function readJudgedTurns(given: string): Promise<JudgedTurns> {
  const turns = new Map<string, TurnRow>();
  const votes = new Map<string, VoteRow>();
  const what = "turns and votes of rag-ft serve";
  for await (const { row } of streamJsonl(await turnsPath(given), turnFileRowSchema, { what, allowEmpty: true })) {
    if (row.kind === "turn") turns.set(row.id, row);
    else votes.set(row.id, row);
  }
  const judged: JudgedTurns = { up: [], down: 0, flagged: 0, unjudged: 0 };
  for (const turn of turns.values()) {
    const vote = votes.get(turn.id);
    if (vote?.flag) judged.flagged++;
    else if (vote?.vote === "down") judged.down++;
    else if (vote?.vote === "up") judged.up.push(turn);
    else judged.unjudged++;
  }
  return judged;
}
