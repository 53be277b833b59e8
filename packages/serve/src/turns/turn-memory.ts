import type { SystemAnswer } from "@rag-ft/answer";
import type { ChatTurn } from "@rag-ft/core";

/** A question that was answered here. */
export interface Turn {
  id: string;
  /** ISO 8601. */
  time: string;
  question: string;
  history: readonly ChatTurn[];
  answer: SystemAnswer;
}

/** Turns that may still be voted on. */
const MOST = 2000;

/** The last turns: what is voted on is what was said here, not what a client says was said. */
export class TurnMemory {
  private readonly turns = new Map<string, Turn>();

  add(turn: Turn): void {
    this.turns.set(turn.id, turn);
    const [oldest] = this.turns.keys();
    if (this.turns.size > MOST && oldest !== undefined) this.turns.delete(oldest);
  }

  get(id: string): Turn | undefined {
    return this.turns.get(id);
  }
}
