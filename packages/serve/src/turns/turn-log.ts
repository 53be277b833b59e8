import { type AppendLog, openAppendLog, type TurnRow, type VoteRow } from "@rag-ft/core";
import type { SystemNames } from "../server-parts.js";
import type { Turn } from "./turn-memory.js";

/** What could not be written: the disk is full, or cannot be written to. Clients may be told the message; what the cause says of places is for the log. */
export class NotKept extends Error {
  override readonly cause: Error;

  constructor(path: string, reason: Error) {
    const { code = "unknown" } = reason as NodeJS.ErrnoException;
    super(`The server could not write it down (${code}${code === "ENOSPC" ? ": its disk is full" : ""}).`);
    this.cause = new Error(`${path}: ${reason.message}`, { cause: reason });
  }
}

/** What was said and voted, on disk. Each call throws NotKept where it could not be written. */
export interface TurnLog {
  readonly path: string;
  /** Keeps a turn; once, however often it is asked for. */
  keep(turn: Turn): Promise<void>;
  /** Keeps a vote, and the turn that it is about before it. */
  vote(turn: Turn, vote: Pick<VoteRow, "vote" | "flag" | "note">): Promise<void>;
}

function turnRow({ id, time, question, history, answer }: Turn, { generator, retriever }: SystemNames): TurnRow {
  return {
    kind: "turn",
    id,
    time,
    question,
    chat_history: history.map(({ speaker, message }) => ({ speaker, message })),
    answer: answer.text,
    finish_reason: answer.finish_reason,
    passages: answer.passages.map(({ document }) => document),
    generator,
    ...(retriever === undefined ? {} : { retriever }),
  };
}

/** Opens the file of turns; it is made with the first line. */
export async function openTurnLog(path: string, names: SystemNames): Promise<TurnLog> {
  let log: Promise<AppendLog> | undefined;
  const opened = (): Promise<AppendLog> => {
    log ??= openAppendLog(path).catch((error: unknown) => {
      log = undefined;
      throw error;
    });
    return log;
  };
  const kept = new Map<string, Promise<void>>();
  const keep = (turn: Turn): Promise<void> => {
    const before = kept.get(turn.id);
    if (before) return before;
    const done = opened().then((file) => file.add(turnRow(turn, names)));
    kept.set(turn.id, done);
    // One that failed may be tried again.
    done.catch(() => kept.delete(turn.id));
    return done;
  };
  const written = async (done: Promise<void>): Promise<void> => {
    try {
      await done;
    } catch (error) {
      throw new NotKept(path, error as Error);
    }
  };
  const addVote = async (turn: Turn, vote: Pick<VoteRow, "vote" | "flag" | "note">): Promise<void> => {
    await keep(turn);
    const row: VoteRow = { kind: "vote", id: turn.id, time: new Date().toISOString(), ...vote };
    await (await opened()).add(row);
  };
  return {
    path,
    keep: (turn) => written(keep(turn)),
    vote: (turn, vote) => written(addVote(turn, vote)),
  };
}
