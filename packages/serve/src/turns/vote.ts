import type { Context } from "hono";
import { z } from "zod";
import { jsonBody } from "../json-body.js";
import { Refusal } from "../refusal.js";
import type { TurnLog } from "./turn-log.js";
import type { TurnMemory } from "./turn-memory.js";

const requestSchema = z.strictObject({
  /** The `id` of a completion. */
  id: z.string().min(1),
  vote: z.enum(["up", "down"]).nullable().default(null),
  flag: z.boolean().default(false),
  note: z.string().max(2000).optional(),
});

/** `POST /v1/votes`: what a user thinks of an answer. It is kept on disk, with the question, before the reply. */
export function vote({ turns, log }: { turns: TurnMemory; log: TurnLog }) {
  return async (context: Context): Promise<Response> => {
    const { id, ...given } = await jsonBody(context, requestSchema);
    const turn = turns.get(id);
    if (!turn)
      throw new Refusal(404, "no_such_turn", "There is no such answer, or it was made too long ago to be voted on.");
    await log.vote(turn, given);
    return context.json({ id, ...given });
  };
}
