import { DataError } from "@rag-ft/core";
import type { PairTokens, Tokenizer } from "./tokenizer.js";

/** What a tokenizer puts around and between two texts. */
interface PairTemplate {
  before: PairTokens;
  between: PairTokens;
  after: PairTokens;
  firstType: number;
  secondType: number;
}

const templates = new WeakMap<Tokenizer, PairTemplate>();

const PROBE = ["a", "b"] as const;

/** Found by a pair of which the tokens are known. */
function templateOf(tokenizer: Tokenizer): PairTemplate {
  const known = templates.get(tokenizer);
  if (known) return known;
  const [a, b] = PROBE.map((text) => tokenizer.encode(text, { special: false })) as [number[], number[]];
  const { ids, types } = tokenizer.encodePair(...PROBE);
  const find = (part: readonly number[], from: number): number => {
    for (let at = from; at + part.length <= ids.length; at++) if (part.every((id, i) => ids[at + i] === id)) return at;
    throw new DataError("the tokenizer's template for pairs does not hold both texts as they are.");
  };
  const first = find(a, 0);
  const second = find(b, first + a.length);
  const slice = (from: number, to: number): PairTokens => ({ ids: ids.slice(from, to), types: types.slice(from, to) });
  const template = {
    before: slice(0, first),
    between: slice(first + a.length, second),
    after: slice(second + b.length, ids.length),
    firstType: types[first] ?? 0,
    secondType: types[second] ?? 0,
  };
  templates.set(tokenizer, template);
  return template;
}

/** How many tokens two texts keep of `room`: the longer one is cut first, as `longest_first` of Python's tokenizers. */
function kept(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const [shorter, longer] = first <= second ? [first, second] : [second, first];
  const rest = shorter > room ? shorter : Math.max(shorter, room - shorter);
  let sizes = [shorter, Math.min(rest, longer)] as const;
  if (sizes[0] + sizes[1] > room) sizes = [Math.floor(room / 2), Math.floor(room / 2) + (room % 2)];
  return first <= second ? [sizes[0], sizes[1]] : [sizes[1], sizes[0]];
}

/** The second text is cut, and the first, at its end, only where it would leave the second less than a quarter of the room. */
function keptOfSecond(first: number, second: number, room: number): [number, number] {
  const ofFirst = Math.min(first, Math.max(room - second, room - Math.ceil(room / 4)));
  return [ofFirst, Math.min(second, room - ofFirst)];
}

/** What is cut of a pair that is too long: the longer text first, as CrossEncoder of sentence-transformers does, or the second one. */
export type PairTruncation = "longest_first" | "only_second";

/** Tokens of a pair, cut to `maxLength`, special tokens kept. */
export function encodePairTruncated(
  tokenizer: Tokenizer,
  first: string,
  second: string,
  maxLength: number,
  truncation: PairTruncation = "longest_first",
): PairTokens {
  const { before, between, after, firstType, secondType } = templateOf(tokenizer);
  const [a, b] = [first, second].map((text) => tokenizer.encode(text, { special: false })) as [number[], number[]];
  const room = maxLength - before.ids.length - between.ids.length - after.ids.length;
  const [ofA, ofB] = (truncation === "only_second" ? keptOfSecond : kept)(a.length, b.length, room);
  return {
    ids: [...before.ids, ...a.slice(0, ofA), ...between.ids, ...b.slice(0, ofB), ...after.ids],
    types: [
      ...before.types,
      ...new Array<number>(ofA).fill(firstType),
      ...between.types,
      ...new Array<number>(ofB).fill(secondType),
      ...after.types,
    ],
  };
}
