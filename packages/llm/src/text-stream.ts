import { cutAtStop } from "./cut-at-stop.js";
import { visibleSoFar } from "./replies/without-thinking.js";

/** Length of the longest end of `text` that a stop string begins with. */
function beginningOfStop(text: string, stop: readonly string[]): number {
  let longest = 0;
  for (const end of stop) {
    for (let length = Math.min(end.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(end.slice(0, length))) longest = length;
    }
  }
  return longest;
}

/** Hands on a text that grows, piece by piece; never a model's thoughts, nor a piece that a stop string or half a character may yet take back. */
export class TextStream {
  #shown = "";

  constructor(
    private readonly onText: (piece: string) => void,
    private readonly stop: readonly string[] = [],
  ) {}

  /** Whether anything was handed on. */
  get started(): boolean {
    return this.#shown !== "";
  }

  /** `text` is all of the text so far. */
  grow(text: string): void {
    const cut = cutAtStop(visibleSoFar(text), this.stop);
    // Bytes of a character that is not whole yet are decoded as U+FFFD.
    const whole = cut.text.replace(/\uFFFD+$/u, "");
    this.#show(cut.found ? cut.text : whole.slice(0, whole.length - beginningOfStop(whole, this.stop)));
  }

  /** The rest, once the text is complete. */
  finish(text: string): void {
    this.#show(visibleSoFar(text));
  }

  #show(text: string): void {
    if (text.length <= this.#shown.length || !text.startsWith(this.#shown)) return;
    const piece = text.slice(this.#shown.length);
    this.#shown = text;
    this.onText(piece);
  }
}
