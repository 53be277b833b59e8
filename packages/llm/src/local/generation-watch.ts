import { StoppingCriteria } from "@huggingface/transformers";
import { cutAtStop } from "../cut-at-stop.js";
import type { CompletionOptions } from "../language-model.js";

/** Ends a generation at a stop string, when asked to stop, and when its time is over; looks after every token. */
export class GenerationWatch extends StoppingCriteria {
  ended: "stop" | "cancelled" | "timeout" | undefined;
  readonly #promptTokens: number;
  readonly #decode: (ids: readonly bigint[]) => string;
  readonly #options: Pick<CompletionOptions, "stop" | "signal" | "timeout_ms">;
  readonly #deadline: number;
  readonly #onTokens: ((ids: readonly bigint[]) => void) | undefined;

  constructor(
    promptTokens: number,
    decode: (ids: readonly bigint[]) => string,
    options: Pick<CompletionOptions, "stop" | "signal" | "timeout_ms">,
    onTokens?: (ids: readonly bigint[]) => void,
  ) {
    super();
    this.#promptTokens = promptTokens;
    this.#decode = decode;
    this.#options = options;
    this.#deadline = Date.now() + options.timeout_ms;
    this.#onTokens = onTokens;
  }

  /** One sequence: `inputIds` is `[1, tokens]`, prompt included. */
  override _call(inputIds: number[][]): boolean[] {
    const { stop, signal } = this.#options;
    const generated = (inputIds[0] ?? []).slice(this.#promptTokens) as unknown as bigint[];
    if (signal?.aborted) this.ended = "cancelled";
    else if (Date.now() > this.#deadline) this.ended = "timeout";
    else if (stop?.length && cutAtStop(this.#decode(generated), stop).found) this.ended = "stop";
    if (this.ended === undefined) this.#onTokens?.(generated);
    return inputIds.map(() => this.ended !== undefined);
  }
}
