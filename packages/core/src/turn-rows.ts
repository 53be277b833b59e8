import { z } from "zod";
import { documentSchema } from "./document.js";
import { chatTurnSchema } from "./qa.js";

/** A question with its answer and passages, in the file of turns. */
export const turnRowSchema = z.looseObject({
  kind: z.literal("turn"),
  id: z.string(),
  time: z.string(),
  question: z.string(),
  chat_history: z.array(chatTurnSchema),
  answer: z.string(),
  finish_reason: z.string(),
  passages: z.array(documentSchema),
  generator: z.string(),
  retriever: z.string().optional(),
});

/** What a user thinks of a turn. Of several the last one counts. */
export const voteRowSchema = z.looseObject({
  kind: z.literal("vote"),
  id: z.string(),
  time: z.string(),
  /** Null: taken back. */
  vote: z.enum(["up", "down"]).nullable(),
  flag: z.boolean(),
  note: z.string().optional(),
});

export const turnFileRowSchema = z.discriminatedUnion("kind", [turnRowSchema, voteRowSchema]);

export type TurnRow = z.infer<typeof turnRowSchema>;
export type VoteRow = z.infer<typeof voteRowSchema>;
