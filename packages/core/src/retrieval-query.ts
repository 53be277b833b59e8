import type { ChatTurn } from "./qa.js";

/** The words of a dialogue's turns; its other keys play no part. */
export type DialogueTurn = Pick<ChatTurn, "speaker" | "message">;

/** A question in its dialogue. */
export interface AskedQuestion {
  question: string;
  /** The turns before the question, oldest first. */
  chat_history?: readonly DialogueTurn[] | undefined;
}

/** User turns that stand before the question in a query: "And its default?" mostly goes on from the one before. */
const USER_TURNS = 2;

/** Whether a turn is the system's; all others are the user's. */
export function isAssistantTurn({ speaker }: Pick<ChatTurn, "speaker">): boolean {
  return /^(assistant|system|bot)$/i.test(speaker);
}

/**
 * What passages are searched by: the question as it is, or in a dialogue the last two user turns and then the question, a line each. The
 * answers between are left out: they are long, made up by a model in use, and would outweigh the question.
 */
export function retrievalQuery({ question, chat_history = [] }: AskedQuestion): string {
  const turns = chat_history.filter((turn) => !isAssistantTurn(turn) && turn.message.trim() !== "");
  return [...turns.slice(-USER_TURNS).map(({ message }) => message.trim()), question].join("\n");
}
