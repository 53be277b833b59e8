import { StoppingCriteria } from "@huggingface/transformers";
import type { CompletionOptions } from "../language-model.js";

/** The text before the first stop string in it. */
export function cutAtStop(text: string, stop: readonly string[]): { text: string; found: boolean } {
  const places = stop.filter((end) => end !== "").map((end) => text.indexOf(end));
  const first = Math.min(...places.filter((place) => place >= 0));
  return Number.isFinite(first) ? { text: text.slice(0, first), found: true } : { text, found: false };
}

/** Ends a generation at a stop string, when asked to stop, and when its time is over; looks after every token. */
export class GenerationWatch extends StoppingCriteria {
  ended: "stop" | "cancelled" | "timeout" | undefined;
  readonly #promptTokens: number;
  readonly #decode: (ids: readonly bigint[]) => string;
  readonly #options: Pick<CompletionOptions, "stop" | "signal" | "timeout_ms">;
  readonly #deadline: number;

  constructor(
    promptTokens: number,
    decode: (ids: readonly bigint[]) => string,
    options: Pick<CompletionOptions, "stop" | "signal" | "timeout_ms">,
  ) {
    super();
    this.#promptTokens = promptTokens;
    this.#decode = decode;
    this.#options = options;
    this.#deadline = Date.now() + options.timeout_ms;
  }

  /** One sequence: `inputIds` is `[1, tokens]`, prompt included. */
  override _call(inputIds: number[][]): boolean[] {
    const { stop, signal } = this.#options;
    if (signal?.aborted) this.ended = "cancelled";
    else if (Date.now() > this.#deadline) this.ended = "timeout";
    else if (stop?.length) {
      const generated = (inputIds[0] ?? []).slice(this.#promptTokens) as unknown as bigint[];
      if (cutAtStop(this.#decode(generated), stop).found) this.ended = "stop";
    }
    return inputIds.map(() => this.ended !== undefined);
  }
}
