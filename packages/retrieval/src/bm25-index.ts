import { throwIfCancelled } from "@rag-ft/core";
import { bestOf, type Ranked } from "./best-passages.js";
import { lexicalTokens } from "./lexical-tokens.js";
import { PairNumbers } from "./pair-numbers.js";

// BM25 (Robertson and Zaragoza 2009), written here because the libraries of npm that are maintained do not rank by it:
// `pnpm bench bm25` has their figures. The weight of a word in a passage does not depend on the question, so
// 1. at building, each word (or pair of words) gets the list of its passages with the weights worked out;
// 2. a search adds up the lists of its words in one array with a place a passage, and takes the best k of it. Exact.

export interface Bm25Options {
  /** How fast further occurrences of a word stop counting. */
  k1?: number;
  /** How much a passage's length counts against it, in [0, 1]. */
  b?: number;
  /**
   * What the BM25 score of pairs of neighbouring words counts beside that of words, 0 or more; 0: words alone, which is BM25. Terms that
   * depend on their neighbours: Metzler and Croft 2005.
   */
  pairs?: number;
}

/** Lucene's values. */
const DEFAULTS = { k1: 1.2, b: 0.75, pairs: 0 };

/** Passages a term occurs in and its weights there: places `starts[term]` to `starts[term + 1]` of both arrays. */
interface Postings {
  starts: Uint32Array;
  passages: Int32Array;
  weights: Float64Array;
}

/** The terms of all passages, counted: words, or pairs of words. */
class Occurrences {
  /** Number of passages that hold a term, by the term's number. */
  readonly holders: number[] = [];
  /** For each passage term and count in turn. */
  readonly counts: Int32Array[] = [];
  /** Terms of each passage, repeated ones too. */
  readonly lengths: number[] = [];

  /** Terms are numbered from 0, a new one with the next number. */
  add(terms: Iterable<number>): void {
    const counts = new Map<number, number>();
    let length = 0;
    for (const term of terms) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      length++;
    }
    const flat = new Int32Array(2 * counts.size);
    let place = 0;
    for (const [term, count] of counts) {
      this.holders[term] = (this.holders[term] ?? 0) + 1;
      flat[place++] = term;
      flat[place++] = count;
    }
    this.counts.push(flat);
    this.lengths.push(length);
  }
}

function weigh({ holders, counts, lengths }: Occurrences, { k1, b }: Required<Omit<Bm25Options, "pairs">>): Postings {
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(lengths.length, 1);
  const starts = new Uint32Array(holders.length + 1);
  holders.forEach((count, word) => {
    starts[word + 1] = (starts[word] as number) + count;
  });
  const next = starts.slice();
  const passages = new Int32Array(starts[holders.length] as number);
  const weights = new Float64Array(passages.length);
  counts.forEach((pairs, passage) => {
    const length = 1 - b + (b * (lengths[passage] as number)) / meanLength;
    for (let i = 0; i < pairs.length; i += 2) {
      const word = pairs[i] as number;
      const count = pairs[i + 1] as number;
      const holding = holders[word] as number;
      // Lucene's form of the inverse document frequency, which is never negative.
      const rarity = Math.log(1 + (lengths.length - holding + 0.5) / (holding + 0.5));
      const place = next[word] as number;
      next[word] = place + 1;
      passages[place] = passage;
      weights[place] = (rarity * count * (k1 + 1)) / (count + k1 * length);
    }
  });
  return { starts, passages, weights };
}

/** Adds a term's weights, `times` over, to its passages' sums. */
function addTerm({ starts, passages, weights }: Postings, term: number, times: number, sums: Float64Array): void {
  const end = starts[term + 1] as number;
  for (let i = starts[term] as number; i < end; i++) {
    const passage = passages[i] as number;
    sums[passage] = (sums[passage] as number) + times * (weights[i] as number);
  }
}

/** Pairs of words that stand side by side, as numbers. */
function* neighbours(words: readonly number[], numberOf: (left: number, right: number) => number): Generator<number> {
  for (let i = 1; i < words.length; i++) yield numberOf(words[i - 1] as number, words[i] as number);
}

/** Words and pairs of texts, counted as they are added. */
class Counted {
  readonly numbers = new Map<string, number>();
  readonly words = new Occurrences();
  readonly inPairs = new Occurrences();
  readonly pairNumbers = new PairNumbers();

  constructor(private readonly withPairs: boolean) {}

  add(text: string): void {
    const tokens = lexicalTokens(text).map((token) => this.numberOf(token));
    this.words.add(tokens);
    if (this.withPairs) this.inPairs.add(neighbours(tokens, (left, right) => this.pairNumbers.add(left, right)));
  }

  private numberOf(token: string): number {
    let number = this.numbers.get(token);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(token, number);
    }
    return number;
  }
}

function countAll(texts: readonly string[], withPairs: boolean): Counted {
  const counted = new Counted(withPairs);
  for (const text of texts) counted.add(text);
  return counted;
}

/** Texts that are counted before others may work: a tenth of a second or so. */
const TEXTS_A_TURN = 1000;

/** Exact lexical search. A word that the question repeats counts as often. */
export class Bm25Index {
  readonly kind = "bm25";
  readonly size: number;
  private readonly numbers: ReadonlyMap<string, number>;
  private readonly words: Postings;
  private readonly pairs: { weight: number; numbers: PairNumbers; postings: Postings } | undefined;

  /** @param counted What `build` counted of the texts, bit by bit. */
  constructor(
    texts: readonly string[],
    options: Bm25Options = {},
    counted: Counted = countAll(texts, (options.pairs ?? DEFAULTS.pairs) > 0),
  ) {
    const { pairs, ...constants } = { ...DEFAULTS, ...options };
    this.size = texts.length;
    this.numbers = counted.numbers;
    this.words = weigh(counted.words, constants);
    this.pairs =
      pairs > 0
        ? { weight: pairs, numbers: counted.pairNumbers, postings: weigh(counted.inPairs, constants) }
        : undefined;
  }

  /** The same index, made so that others may work in between. @throws CancelledError at an aborted signal. */
  static async build(texts: readonly string[], options: Bm25Options = {}, signal?: AbortSignal): Promise<Bm25Index> {
    const counted = new Counted((options.pairs ?? DEFAULTS.pairs) > 0);
    for (const [i, text] of texts.entries()) {
      if (i % TEXTS_A_TURN === TEXTS_A_TURN - 1) {
        await new Promise(setImmediate);
        if (signal) throwIfCancelled(signal);
      }
      counted.add(text);
    }
    return new Bm25Index(texts, options, counted);
  }

  /** Score of every passage, `[passages]`, 0 for those that share no word with the question. For fusing with other scores. */
  scores(question: string): Float64Array {
    const sums = new Float64Array(this.size);
    // Words that no passage holds are no neighbours of others either.
    const words = lexicalTokens(question).map((token) => this.numbers.get(token) ?? -1);
    for (const word of words) if (word >= 0) addTerm(this.words, word, 1, sums);
    if (this.pairs) {
      const { weight, numbers, postings } = this.pairs;
      for (const pair of neighbours(words, (left, right) => numbers.find(left, right)))
        if (pair >= 0) addTerm(postings, pair, weight, sums);
    }
    return sums;
  }

  /**
   * The best `k` passages of each question, of all or of those `among` them, equal scores by the lower id; passages that share no word come last,
   * with 0.
   */
  search(questions: readonly string[], k: number, among?: Int32Array): Ranked[] {
    return questions.map((question) => bestOf(this.scores(question), k, among));
  }
}
