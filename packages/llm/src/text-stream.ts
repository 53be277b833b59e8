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

/** From so many characters on that were shown, what comes after them is read by itself: each piece would else cost as much as all before it. */
const SETTLED_FROM = 400;

const FENCE = /^[ \t]*(?:```|~~~)/gm;
/** A place to go on reading from: no mark of a thought begins there, and none that comes later on its line begins the line. */
const WORD = /(?<![\p{L}\p{N}])(?![aA])[\p{L}\p{N}]/gu;

/** Hands on a text that grows, piece by piece; never a model's thoughts, nor a piece that a stop string or half a character may yet take back. */
export class TextStream {
  /** What was handed on, in pieces: all of it is needed once, at the end. */
  readonly #pieces: string[] = [];
  /** Up to here the text is settled: shown, and read no more. */
  #settled = 0;
  /** What was shown of the text from there on. */
  #shown = "";
  /** The line that opened the fenced block which the settled text ends in. */
  #fence = "";

  constructor(
    private readonly onText: (piece: string) => void,
    private readonly stop: readonly string[] = [],
  ) {}

  /** Whether anything was handed on. */
  get started(): boolean {
    return this.#pieces.length > 0;
  }

  /** `text` is all of the text so far. */
  grow(text: string): void {
    const rest = text.slice(this.#settled);
    const visible = visibleSoFar(this.#fence + rest).slice(this.#fence.length);
    const cut = cutAtStop(visible, this.stop);
    // Bytes of a character that is not whole yet are decoded as U+FFFD.
    const whole = cut.text.replace(/\uFFFD+$/u, "");
    this.#show(cut.found ? cut.text : whole.slice(0, whole.length - beginningOfStop(whole, this.stop)));
    if (this.#shown === visible && visible.length >= SETTLED_FROM) this.#settle(rest);
  }

  /** The rest, once the text is complete. */
  finish(text: string): void {
    const shown = this.#pieces.join("");
    const visible = visibleSoFar(text);
    if (visible.length > shown.length && visible.startsWith(shown)) this.#handOn(visible.slice(shown.length));
  }

  /** Settles all before the last word, where the text is shown as it is there: a thought that was taken out stays out. */
  #settle(rest: string): void {
    const at = [...rest.matchAll(WORD)].at(-1)?.index;
    if (at === undefined || !this.#shown.endsWith(rest.slice(at))) return;
    const word = rest.slice(at);
    const before = this.#fence + this.#shown.slice(0, this.#shown.length - word.length);
    const fences = before.match(FENCE) ?? [];
    this.#settled += at;
    this.#shown = word;
    this.#fence = fences.length % 2 === 1 ? "```\n" : "";
  }

  #show(text: string): void {
    if (text.length <= this.#shown.length || !text.startsWith(this.#shown)) return;
    const piece = text.slice(this.#shown.length);
    this.#shown = text;
    this.#handOn(piece);
  }

  #handOn(piece: string): void {
    this.#pieces.push(piece);
    this.onText(piece);
  }
}
