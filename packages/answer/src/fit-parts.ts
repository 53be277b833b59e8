import type { ChatTurn, Document } from "@rag-ft/core";

/** What a prompt is made of beside its question. */
export interface PromptParts {
  /** Best first. */
  passages: readonly Document[];
  /** Turns of the dialogue, oldest first. */
  history: readonly ChatTurn[];
}

/** The least number of 0…`most` that fits, where all above one that fits do; `most` where none does. */
function leastThatFits(most: number, fits: (count: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The parts whose prompt fits. The lowest-ranked passages go first; then, before the best passage does, the oldest turns, since a dialogue
 * must not end because it has become long. No part may be left when the question alone is too long.
 *
 * @param fits Whether the prompt made of these parts is short enough; fewer parts never make it longer.
 */
export function fitParts({ passages, history }: PromptParts, fits: (parts: PromptParts) => boolean): PromptParts {
  for (let kept = passages.length; kept > 0; kept--) {
    const parts = { passages: passages.slice(0, kept), history };
    if (fits(parts)) return parts;
  }
  const withTurns = (best: readonly Document[]): PromptParts => {
    const gone = leastThatFits(history.length, (count) => fits({ passages: best, history: history.slice(count) }));
    return { passages: best, history: history.slice(gone) };
  };
  const best = passages.slice(0, 1);
  // Without a dialogue it has been tried above.
  if (best.length > 0 && history.length > 0 && fits({ passages: best, history: [] })) return withTurns(best);
  return withTurns([]);
}
