import { dirname, join } from "node:path";
import {
  AnswerLabels,
  answerLabelSchema,
  type PeopleSay,
  pathKind,
  readJsonl,
  streamJsonl,
  type TurnRow,
  turnFileRowSchema,
  UserError,
  type VoteRow,
} from "@rag-ft/core";

/** Why a turn is not found good: what reviewers say goes before what its user does. */
export const JUDGED_BAD = {
  incorrect: "reviewers say that their answer is incorrect",
  retrieval_fault: "reviewers say that the passages did not hold the answer",
  split: "reviewers are split on whether their answer is correct",
  harmful: "reviewers say that their answer is harmful",
  unhelpful: "reviewers say that their answer is not helpful",
  flagged: "flagged by their user",
  down: "voted down",
  unjudged: "without a vote or a label",
} as const;

export type BadReason = keyof typeof JUDGED_BAD;

/** Turns of a file, by what people said of them. */
export interface JudgedTurns {
  good: { turn: TurnRow; by: "label" | "vote" }[];
  bad: { turn: TurnRow; reason: BadReason }[];
}

async function turnsPath(given: string): Promise<string> {
  const kind = await pathKind(given);
  const path = kind === "folder" ? join(given, "turns.jsonl") : given;
  if ((await pathKind(path)) === "file") return path;
  throw new UserError(
    `${path}: no such file. Expected what rag-ft serve writes when users vote: turns.jsonl in the run's folder.`,
  );
}

async function readLabels(path: string, isNamed: boolean): Promise<AnswerLabels> {
  if (!isNamed && (await pathKind(path)) !== "file") return new AnswerLabels();
  const what = "labels of turns, as rag-ft review writes them";
  return new AnswerLabels(await readJsonl(path, answerLabelSchema, { what, allowEmpty: true }));
}

/** What is said of a turn: by whom it is found good, or why not. */
function judge(
  vote: VoteRow | undefined,
  say: PeopleSay | undefined,
): { by: "label" | "vote" } | { reason: BadReason } {
  if (say?.harmlessness === "harmful") return { reason: "harmful" };
  if (vote?.flag && say?.harmlessness !== "harmless") return { reason: "flagged" };
  if (say?.split.includes("label")) return { reason: "split" };
  if (say?.label !== undefined && say.label !== "correct") return { reason: say.label };
  if (say?.helpfulness === "unhelpful") return { reason: "unhelpful" };
  if (say?.label === "correct") return { by: "label" };
  if (vote?.vote === "up") return { by: "vote" };
  return { reason: vote?.vote === "down" ? "down" : "unjudged" };
}

/**
 * Reads a file of turns with the labels beside it. Of the votes on a turn the last one counts, of labels what most reviewers say.
 *
 * @throws UserError when there is no such file, DataError for a line that is malformed.
 */
export async function readJudgedTurns(given: string, labelsFile?: string): Promise<JudgedTurns> {
  const path = await turnsPath(given);
  const labels = await readLabels(labelsFile ?? join(dirname(path), "labels.jsonl"), labelsFile !== undefined);
  const turns = new Map<string, TurnRow>();
  const votes = new Map<string, VoteRow>();
  const what = "turns and votes of rag-ft serve";
  for await (const { row } of streamJsonl(path, turnFileRowSchema, { what, allowEmpty: true })) {
    if (row.kind === "turn") turns.set(row.id, row);
    else votes.set(row.id, row);
  }
  const judged: JudgedTurns = { good: [], bad: [] };
  for (const turn of turns.values()) {
    const found = judge(votes.get(turn.id), labels.of(turn.id, turn.answer));
    if ("by" in found) judged.good.push({ turn, by: found.by });
    else judged.bad.push({ turn, reason: found.reason });
  }
  return judged;
}
