import type { AnswerEvent, RagSystem, SystemAnswer } from "@rag-ft/answer";
import type { ChatTurn } from "@rag-ft/core";
import type { AnswerQueue } from "./answer-queue.js";
import { EventBuffer } from "./event-buffer.js";

/** One question of a client. */
export interface AskedTurn {
  question: string;
  history: readonly ChatTurn[];
  max_new_tokens?: number;
  temperature?: number;
  stop?: readonly string[];
}

export interface Asker {
  /** Whose request it is: clients take turns. */
  client: string;
  /** Aborted when the client is gone or its time is over. */
  signal: AbortSignal;
}

/**
 * Answers one question in its turn; its search may be done before that. The events can be read while it is made; the generator is free again when it is made, read
 * or not.
 *
 * @throws QueueFull at once, so that a client that streams is told by the status, too.
 */
export function answerInTurn(
  system: RagSystem,
  queue: AnswerQueue,
  { question, ...options }: AskedTurn,
  { client, signal }: Asker,
): AsyncIterable<AnswerEvent> {
  queue.requireRoom();
  const events = new EventBuffer<AnswerEvent>();
  queue
    .run(client, signal, async (turn) => {
      for await (const event of system.stream(question, { ...options, signal })) {
        events.push(event);
        // The search is done; the generator is asked when the stream goes on.
        if (event.type === "passages") await turn();
      }
    })
    .then(
      () => events.end(),
      (error: unknown) => events.fail(error),
    );
  return events;
}

/** The whole answer. */
export async function wholeAnswer(events: AsyncIterable<AnswerEvent>): Promise<SystemAnswer> {
  let whole: SystemAnswer | undefined;
  for await (const event of events) if (event.type === "answer") whole = event.answer;
  if (!whole) throw new Error("The answer ended without its last event.");
  return whole;
}
