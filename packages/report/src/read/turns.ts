import { join } from "node:path";
import { type AnswerLabels, type PeopleSay, type TurnRow, turnFileRowSchema, type VoteRow } from "@rag-ft/core";
import { readRows } from "./optional-file.js";
import { readLabels } from "./system.js";

/** What users asked a served system, and what they and reviewers said of its answers. */
export interface Turns {
  path: string;
  turns: { turn: TurnRow; vote?: VoteRow; people?: PeopleSay }[];
  labels: AnswerLabels;
}

/** The turns that `serve` keeps in a run's folder, with `review`'s labels beside them; undefined when there are none. */
export async function readTurns(folder: string): Promise<Turns | undefined> {
  const path = join(folder, "turns.jsonl");
  const rows = (await readRows(path, turnFileRowSchema, "turns and votes of rag-ft serve")) ?? [];
  const votes = new Map(rows.flatMap((row) => (row.kind === "vote" ? [[row.id, row] as const] : [])));
  const asked = new Map(rows.flatMap((row) => (row.kind === "turn" ? [[row.id, row] as const] : [])));
  if (asked.size === 0) return undefined;
  const labels = await readLabels(folder);
  const turns = [...asked.values()].map((turn) => {
    const [vote, people] = [votes.get(turn.id), labels.of(turn.id, turn.answer)];
    return { turn, ...(vote ? { vote } : {}), ...(people ? { people } : {}) };
  });
  return { path, turns, labels };
}
