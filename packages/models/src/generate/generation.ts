import { createSession, intTensor, type Session, type SessionSettings, type Tensor } from "@rag-ft/onnx";
import type { DecoderGraph } from "../decoder/decoder-architecture.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { Parameters } from "../graph/parameters.js";
import type { ChooseToken } from "./choose-token.js";
import { generationGraph } from "./generation-graph.js";
import { cacheBytesPerToken, commonStart, TextCache } from "./text-cache.js";

/** A text to go on with. */
export interface Continuation {
  /** Ids, one at least. */
  prompt: readonly number[];
  /** New tokens at most; with the prompt within the model's context. */
  room: number;
  /** Ids that end a text; the one met is part of what was made. */
  ends: ReadonlySet<number>;
  choose: ChooseToken;
  /** Somebody reads along: prompts of others do not hold the text up for more than one run. */
  live?: boolean;
  /**
   * Called after each run with what was made so far and the seconds spent on this text: true ends it, what it throws is its end. Before the text is
   * begun with, it is asked from time to time, too.
   */
  watch?: (made: readonly number[], seconds: number) => boolean;
}

export interface Continued {
  made: number[];
  /** Time of the runs that this text took part in, each shared among its texts: those of all texts add up to the time that all took. */
  seconds: number;
}

export interface GenerationSettings extends SessionSettings {
  /** Texts at once, at most. */
  texts?: number;
  /** Bytes that keys and values may take; one text is always gone on with. */
  cacheBytes?: number;
}

/** Texts at once when nothing else is said: more of them gain little, since weights are then read for many tokens at once already. */
export const MOST_TEXTS = 32;

/**
 * Tokens of a run over prompts. In larger ones more scores are computed that nobody may see, in smaller ones weights are read too often: SmolLM2-135M took 1.35 s
 * of a core for 1,024 tokens in runs of 256, 1.41 in runs of 512 or in one, 1.36 in runs of 128.
 */
const RUN_TOKENS = 256;

/** Numbers of a layer's scores in one run, at most. */
const MOST_SCORES = 2 ** 26;

/** A shorter common beginning is computed anew: copying it is no faster. */
const LEAST_SHARED = 16;

/** Prompts of one run are at least so long in parts of the longest. */
const LEAST_LENGTH = 0.75;

/** Bytes of the cache that are kept while nothing is to be done. */
const KEPT_BYTES = 2 ** 28;

interface Text extends Continuation {
  made: number[];
  seconds: number;
  resolve(result: Continued): void;
  reject(error: unknown): void;
}

/**
 * Goes on with many texts at once.
 *
 * 1. Waiting prompts are computed first, short ones of about the same length in one run, long ones in parts. Tokens that a text in the cache begins
 * with, too, are copied from there instead. 2. Then each run makes one token of every text. A text that has ended leaves its place to the next one that
 * waits: the last text moves to its slot. 3. Keys and values stay where they were written; only the tokens' logits come back.
 */
export class Generation {
  readonly #graph: DecoderGraph;
  readonly #session: Session;
  readonly #cache: TextCache;
  readonly #limits: { texts: number; cacheBytes: number };
  /** Text i is in slot i. */
  readonly #texts: Text[] = [];
  readonly #waiting: Text[] = [];
  #working: Promise<void> | undefined;
  #closed = false;
  #logits = new Float32Array(0);

  constructor(graph: DecoderGraph, session: Session, limits: { texts: number; cacheBytes: number }) {
    this.#graph = graph;
    this.#session = session;
    this.#limits = limits;
    this.#cache = new TextCache(graph);
  }

  /** Resolves when the text has ended. */
  continue(text: Continuation): Promise<Continued> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...text, made: [], seconds: 0, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Ends what is under way with an error of its caller's `watch`, or waits for it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#session.close();
  }

  async #work(): Promise<void> {
    // Those asked for in the same turn begin together.
    await Promise.resolve();
    let begun = false;
    try {
      while (this.#waiting.length + this.#texts.length > 0) {
        this.#dropEnded();
        const next: Text[] = begun && this.#texts.some(({ live }) => live) ? [] : this.#next();
        begun = next.length > 0;
        if (begun) await this.#begin(next);
        else if (this.#texts.length > 0) await this.#step();
      }
      if (this.#closed || this.#cache.bytes > KEPT_BYTES) this.#cache.clear();
    } catch (error) {
      for (const text of [...this.#texts.splice(0), ...this.#waiting.splice(0)]) text.reject(error);
      this.#cache.clear();
    } finally {
      this.#working = undefined;
    }
  }

  /** Texts that wait no more. */
  #dropEnded(): void {
    for (const text of [...this.#waiting]) {
      if (this.#isWatched(text)) this.#waiting.splice(this.#waiting.indexOf(text), 1);
    }
  }

  /** Whether its watch ends a text; it is answered then. */
  #isWatched(text: Text): boolean {
    try {
      if (!text.watch?.(text.made, text.seconds)) return false;
      text.resolve({ made: text.made, seconds: text.seconds });
    } catch (error) {
      text.reject(error);
    }
    return true;
  }

  /** Whether there is a place for one text more, beside those that are to begin with it. */
  #hasRoom(text: Text, beside: readonly Text[]): boolean {
    const others = [...this.#texts, ...beside];
    if (others.length === 0) return true;
    if (others.length >= this.#limits.texts) return false;
    const tokens = [...others, text].reduce((sum, { prompt, room }) => sum + prompt.length + room, 0);
    return tokens * cacheBytesPerToken(this.#graph) <= this.#limits.cacheBytes;
  }

  /** Takes the texts to begin with in one run from those that wait. */
  #next(): Text[] {
    const first = this.#waiting[0];
    if (!first || !this.#hasRoom(first, [])) return [];
    const group = [first];
    const isMostlyCached = ({ prompt }: Text): boolean => 2 * this.#cache.closest(prompt).shared >= prompt.length;
    if (!isMostlyCached(first)) {
      let [shortest, longest] = [first.prompt.length, first.prompt.length];
      for (const text of this.#waiting.slice(1)) {
        const { length } = text.prompt;
        const [least, most] = [Math.min(shortest, length), Math.max(longest, length)];
        const isLikeOne = group.some(({ prompt }) => 2 * commonStart(prompt, text.prompt) >= length);
        if ((group.length + 1) * most > RUN_TOKENS || least < LEAST_LENGTH * most) continue;
        if (isLikeOne || isMostlyCached(text) || !this.#hasRoom(text, group)) continue;
        group.push(text);
        [shortest, longest] = [least, most];
      }
    }
    for (const text of group) this.#waiting.splice(this.#waiting.indexOf(text), 1);
    return group;
  }

  /** Computes prompts, one in parts or several side by side, and makes the first token of each. */
  async #begin(texts: Text[]): Promise<void> {
    const slot = this.#texts.length;
    const coming = [...texts, ...this.#waiting].slice(0, this.#limits.texts - slot);
    const needs = [...this.#texts, ...coming].map(({ prompt, room }) => prompt.length + room);
    this.#cache.reserve(slot + coming.length, Math.max(...needs));
    this.#texts.push(...texts);
    const logits = texts.length > 1 ? await this.#computeTogether(texts, slot) : await this.#computeInParts(slot);
    if (logits) this.#goOn(texts, logits);
  }

  async #computeTogether(texts: readonly Text[], slot: number): Promise<Float32Array> {
    texts.forEach(({ prompt }, i) => {
      const tokens = this.#cache.tokens(slot + i);
      tokens.length = 0;
      tokens.push(...prompt);
    });
    return this.#run(
      texts,
      slot,
      texts.map(({ prompt }) => prompt),
      0,
    );
  }

  /** One prompt; nothing when it was ended before its end. */
  async #computeInParts(slot: number): Promise<Float32Array | undefined> {
    const text = this.#texts[slot] as Text;
    const { prompt } = text;
    const { slot: like, shared } = this.#cache.closest(prompt);
    // The last token's logits are wanted: it is always computed.
    const known = shared < LEAST_SHARED ? 0 : Math.min(shared, prompt.length - 1);
    this.#cache.copy(like, slot, known);
    const most = Math.max(
      1,
      Math.min(RUN_TOKENS, Math.floor(MOST_SCORES / (this.#graph.heads * this.#cache.capacity))),
    );
    const parts = Math.ceil((prompt.length - known) / most);
    const size = Math.ceil((prompt.length - known) / parts);
    let logits: Float32Array | undefined;
    for (let from = known; from < prompt.length; from += size) {
      const part = prompt.slice(from, from + size);
      logits = await this.#run([text], slot, [part], from);
      this.#cache.tokens(slot).push(...part);
      if (this.#isWatched(text)) {
        this.#remove(slot);
        return undefined;
      }
    }
    return logits;
  }

  /** One token more of every text. */
  async #step(): Promise<void> {
    const texts = [...this.#texts];
    const ids = texts.map(({ made }) => made.slice(-1));
    const logits = await this.#run(texts, 0, ids);
    ids.forEach((some, slot) => {
      this.#cache.tokens(slot).push(...some);
    });
    this.#goOn(texts, logits);
  }

  /**
   * Computes new tokens of the texts in the slots from `slot` on.
   *
   * @param from Where these tokens stand; by default behind those of each slot.
   * @returns logits after the last token of each text, one after the other; also of a part of a prompt, which needs none: one row costs little, and
   * devices may fail with an empty product
   */
  async #run(
    texts: readonly Text[],
    slot: number,
    ids: readonly (readonly number[])[],
    from?: number,
  ): Promise<Float32Array> {
    const began = performance.now();
    const batch = texts.length;
    const width = Math.max(...ids.map(({ length }) => length));
    const starts = texts.map((_, i) => from ?? this.#cache.tokens(slot + i).length);
    const table = ids.map((some) => [...some, ...new Array<number>(width - some.length).fill(0)]);
    const ends = ids.map((some, i) => (starts[i] as number) + some.length);
    const rows = ids.map((some, i) => i * width + some.length - 1);
    const { inputs, outputs } = this.#cache.tensors(slot, batch);
    const logits = this.#logitsOf(rows.length);
    const int32 = (values: number[]): Tensor => ({
      dtype: "int32",
      shape: [values.length],
      data: Int32Array.from(values),
    });
    await this.#session.run(
      {
        ...inputs,
        ids: intTensor(table.flat(), [batch, width]),
        positions: intTensor(
          table.flatMap((some, i) => some.map((_, at) => (starts[i] as number) + at)),
          [batch, width],
        ),
        last: int32(ends.map((end) => end - 1)),
        longest: int32([Math.max(...starts) + width]),
        rows: intTensor(rows, [rows.length]),
      },
      { ...outputs, logits: { dtype: "float32", shape: [rows.length, this.#graph.vocabularySize], data: logits } },
    );
    const seconds = (performance.now() - began) / 1000;
    const total = ids.reduce((sum, { length }) => sum + length, 0);
    texts.forEach((text, i) => {
      text.seconds += (seconds * (ids[i]?.length ?? 0)) / total;
    });
    return logits;
  }

  /** Memory for the logits of so many texts, the same in every run. */
  #logitsOf(count: number): Float32Array {
    const size = count * this.#graph.vocabularySize;
    if (this.#logits.length < size) this.#logits = new Float32Array(size);
    return this.#logits.subarray(0, size);
  }

  /** Gives each text its next token, and takes leave of those that end. */
  #goOn(texts: readonly Text[], logits: Float32Array): void {
    const size = this.#graph.vocabularySize;
    texts.forEach((text, i) => {
      const id = text.choose(logits.subarray(i * size, (i + 1) * size));
      text.made.push(id);
      if (this.#isWatched(text)) this.#remove(this.#texts.indexOf(text));
      else if (text.ends.has(id) || text.made.length >= text.room) {
        text.resolve({ made: text.made, seconds: text.seconds });
        this.#remove(this.#texts.indexOf(text));
      }
    });
  }

  /** The last text takes the slot of one that has ended. */
  #remove(slot: number): void {
    const last = this.#texts.pop();
    if (last === undefined || this.#texts.length === slot) return;
    this.#texts[slot] = last;
    this.#cache.copy(this.#texts.length, slot, this.#cache.tokens(this.#texts.length).length);
  }
}

/** Compiles a decoder for generation. Its weights become a part of the compiled graph. */
export async function openGeneration(
  { graph, weights }: Pick<LoadedDecoder, "graph" | "weights">,
  { texts = MOST_TEXTS, cacheBytes = Number.POSITIVE_INFINITY, ...settings }: GenerationSettings = {},
): Promise<Generation> {
  const session = await createSession({ outputs: generationGraph(graph, new Parameters()), weights }, settings);
  return new Generation(graph, session, { texts, cacheBytes });
}
