import type OpenAI from "openai";
import { CompletionError } from "../completion-error.js";
import { contentText } from "./content-text.js";
import type { Asked } from "./describe-error.js";

/** The chunks of a streamed reply, put together as the reply that they are parts of. */
export class Chunks {
  text = "";
  private refusal = "";
  private thoughts = "";
  private finish: string | null = null;
  private usage: OpenAI.CompletionUsage | undefined;
  private any = false;

  add({ choices, usage }: OpenAI.ChatCompletionChunk): void {
    if (usage) this.usage = usage;
    const choice = choices?.[0];
    if (!choice) return;
    this.any = true;
    // A server that knows no streams sends the whole reply as one event: a message, which may not say how it ended.
    const { message } = choice as { message?: typeof choice.delta };
    const delta = (choice.delta ?? message ?? {}) as typeof choice.delta &
      Record<"reasoning_content" | "reasoning", unknown>;
    const { text, thought, refusal } = contentText(delta.content);
    this.text += text;
    if (thought) this.thoughts += " thought";
    for (const part of [delta.reasoning_content, delta.reasoning]) if (typeof part === "string") this.thoughts += part;
    if (delta.refusal || refusal) this.refusal += delta.refusal || refusal;
    this.finish = choice.finish_reason ?? (message ? "stop" : this.finish);
  }

  /** @throws CompletionError when the stream ended without saying how the reply ended. */
  reply({ where, name }: Asked): object {
    if (this.any && this.finish === null)
      throw new CompletionError(`${where}: the reply of "${name}" broke off.`, { kind: "connection", retry: {} });
    const message = { content: this.text, refusal: this.refusal, reasoning: this.thoughts };
    return { choices: this.any ? [{ message, finish_reason: this.finish }] : [], usage: this.usage };
  }
}

/**
 * The reply of a server that streams although no stream was asked for (gateways that know nothing else): its events put together. Undefined for a text that
 * is no such stream.
 *
 * @throws CompletionError as `Chunks.reply`.
 */
export function readEvents(text: string, asked: Asked): object | undefined {
  const chunks = new Chunks();
  let events = 0;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const data = /^data:(.*)$/.exec(line)?.[1]?.trim();
    if (data === undefined || data === "[DONE]") continue;
    try {
      chunks.add(JSON.parse(data));
    } catch {
      return undefined;
    }
    events++;
  }
  return events === 0 ? undefined : chunks.reply(asked);
}
