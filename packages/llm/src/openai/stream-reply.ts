import { CancelledError, RagFtError } from "@rag-ft/core";
import type OpenAI from "openai";
import { CompletionError } from "../completion-error.js";
import type { Completion, CompletionOptions } from "../language-model.js";
import { TextStream } from "../text-stream.js";
import { describeError } from "./describe-error.js";
import { contentText, readReply } from "./read-reply.js";
import type { Server } from "./server.js";

/** The chunks of a streamed reply, put together as the reply that they are parts of. */
class Chunks {
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
  reply({ where, name }: Server): object {
    if (this.any && this.finish === null)
      throw new CompletionError(`${where}: the reply of "${name}" broke off.`, { kind: "connection", retry: {} });
    const message = { content: this.text, refusal: this.refusal, reasoning: this.thoughts };
    return { choices: this.any ? [{ message, finish_reason: this.finish }] : [], usage: this.usage };
  }
}

/** One attempt whose text is handed on as it arrives. Once a piece was handed on, a failure is final: the reader has seen it. */
export async function streamReply(
  server: Server,
  body: OpenAI.ChatCompletionCreateParamsNonStreaming,
  { onText, signal, stop }: CompletionOptions & { onText: (piece: string) => void },
  limits: { timeout: number; signal: AbortSignal },
): Promise<Completion> {
  const pieces = new TextStream(onText, stop);
  if (server.quirks.no_stream) {
    const completion = readReply(await server.client.chat.completions.create(body, limits), server);
    pieces.grow(completion.text);
    pieces.finish(completion.text);
    return completion;
  }
  try {
    const stream = await server.client.chat.completions.create(
      { ...body, stream: true, ...(server.quirks.no_stream_usage ? {} : { stream_options: { include_usage: true } }) },
      { ...limits, signal: signal ? AbortSignal.any([limits.signal, signal]) : limits.signal },
    );
    const chunks = new Chunks();
    for await (const chunk of stream) {
      chunks.add(chunk);
      pieces.grow(chunks.text);
    }
    // An iteration that is aborted ends as if the reply were over.
    if (signal?.aborted) throw new CancelledError("Stopped on request.");
    const completion = readReply(chunks.reply(server), server);
    pieces.finish(completion.text);
    return completion;
  } catch (error) {
    if (signal?.aborted) throw new CancelledError("Stopped on request.");
    if (!pieces.started) throw error;
    const described = error instanceof RagFtError ? error : describeError(error, server, limits.signal.aborted);
    if (!(described instanceof CompletionError)) throw described;
    throw new CompletionError(described.message, { kind: described.kind, cause: described });
  }
}
