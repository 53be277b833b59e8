import { CancelledError, RagFtError } from "@rag-ft/core";
import type OpenAI from "openai";
import { CompletionError } from "../completion-error.js";
import type { Completion, CompletionOptions } from "../language-model.js";
import { TextStream } from "../text-stream.js";
import { Chunks } from "./chunks.js";
import { describeError } from "./describe-error.js";
import { readReply } from "./read-reply.js";
import type { Server } from "./server.js";

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
