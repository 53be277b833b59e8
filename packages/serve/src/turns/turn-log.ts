import { type AppendLog, openAppendLog, type TurnRow, type VoteRow } from "@rag-ft/core";
import type { SystemNames } from "../server-parts.js";
import type { Turn } from "./turn-memory.js";

/** What was said and voted, on disk. */
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
  return {
    path,
    keep,
    async vote(turn, vote) {
      await keep(turn);
      await (await opened()).add({
        kind: "vote",
        id: turn.id,
        time: new Date().toISOString(),
        ...vote,
      } satisfies VoteRow);
    },
  };
}
