import { type DialogueTurn, isAssistantTurn } from "@rag-ft/core";
import { withoutThinking } from "./without-thinking.js";

/** A dialogue's turns without the thoughts of the assistant's: what was said, not how it came about. */
export function spokenTurns(history: readonly DialogueTurn[] = []): DialogueTurn[] {
  return history.map((turn) =>
    isAssistantTurn(turn) ? { speaker: turn.speaker, message: withoutThinking(turn.message).text } : turn,
  );
}
