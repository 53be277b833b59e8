/**
 * Kinds of questions that a domain may ask for, by share.
 *
 * - `full`: a whole question that can be understood alone
 * - `keywords`: what people type into a search box
 * - `error_message`: what somebody who has met an error pastes
 * - `how_to`: what somebody asks who wants to get something done
 * - `follow_up`: the last turn of a dialogue, which the row's `chat_history` holds
 * - `two_passages`: answered by two passages together, both of them gold
 */
export const QUESTION_KINDS = ["full", "keywords", "error_message", "how_to", "follow_up", "two_passages"] as const;

export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** A row's kind of question; undefined for rows that do not say it. Files made elsewhere may have kinds of their own. */
export function questionKindOf(row: object): string | undefined {
  const kind = (row as { question_kind?: unknown }).question_kind;
  return typeof kind === "string" && kind !== "" ? kind : undefined;
}
