import { bestOf } from "./best-passages.js";
import { lexicalTokens } from "./lexical-tokens.js";
import type { SearchResult } from "./vector-index.js";

// BM25 (Robertson and Zaragoza 2009), written here because the libraries of npm that are maintained do not rank by it:
// `pnpm bench bm25` has their figures. The weight of a word in a passage does not depend on the question, so
// 1. at building, each word gets the list of its passages with the weights worked out;
// 2. a search adds up the lists of its words in one array with a place a passage, and takes the best k of it. Exact.

export interface Bm25Options {
  /** How fast further occurrences of a word stop counting. */
  k1?: number;
  /** How much a passage's length counts against it, in [0, 1]. */
  b?: number;
}

/** Lucene's values. */
const DEFAULTS = { k1: 1.2, b: 0.75 };

/** Passages a word occurs in and its weights there: places `starts[word]` to `starts[word + 1]` of both arrays. */
interface Postings {
  words: ReadonlyMap<string, number>;
  starts: Uint32Array;
  passages: Int32Array;
  weights: Float64Array;
}

/** The words of all passages, counted. */
interface Occurrences {
  words: Map<string, number>;
  /** Number of passages that hold a word, by the word's number. */
  holders: number[];
  /** For each passage pairs of word and count. */
  counts: Int32Array[];
  /** Words of each passage, repeated ones too. */
  lengths: number[];
}

function countOccurrences(texts: readonly string[]): Occurrences {
  const found: Occurrences = { words: new Map(), holders: [], counts: [], lengths: [] };
  for (const text of texts) {
    const tokens = lexicalTokens(text);
    const counts = new Map<number, number>();
    for (const token of tokens) {
      let word = found.words.get(token);
      if (word === undefined) {
        word = found.words.size;
        found.words.set(token, word);
        found.holders.push(0);
      }
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const pairs = new Int32Array(2 * counts.size);
    let place = 0;
    for (const [word, count] of counts) {
      found.holders[word] = (found.holders[word] as number) + 1;
      pairs[place++] = word;
      pairs[place++] = count;
    }
    found.counts.push(pairs);
    found.lengths.push(tokens.length);
  }
  return found;
}

function weigh({ words, holders, counts, lengths }: Occurrences, { k1, b }: Required<Bm25Options>): Postings {
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
  return { words, starts, passages, weights };
}

/** Exact lexical search. A word that the question repeats counts as often. */
export class Bm25Index {
  readonly kind = "bm25";
  readonly size: number;
  private readonly postings: Postings;

  constructor(texts: readonly string[], options: Bm25Options = {}) {
    this.size = texts.length;
    this.postings = weigh(countOccurrences(texts), { ...DEFAULTS, ...options });
  }

  /** Score of every passage, `[passages]`, 0 for those that share no word with the question. For fusing with other scores. */
  scores(question: string): Float64Array {
    const { words, starts, passages, weights } = this.postings;
    const sums = new Float64Array(this.size);
    for (const token of lexicalTokens(question)) {
      const word = words.get(token);
      if (word === undefined) continue;
      const end = starts[word + 1] as number;
      for (let i = starts[word] as number; i < end; i++) {
        const passage = passages[i] as number;
        sums[passage] = (sums[passage] as number) + (weights[i] as number);
      }
    }
    return sums;
  }

  /** The best `k` passages of each question, equal scores by the lower id; passages that share no word come last, with 0. */
  search(questions: readonly string[], k: number): SearchResult {
    const kept = Math.min(k, this.size);
    const ids = new Int32Array(questions.length * kept);
    const scores = new Float32Array(questions.length * kept);
    questions.forEach((question, q) => {
      const best = bestOf(this.scores(question), kept);
      ids.set(best.ids, q * kept);
      scores.set(best.scores, q * kept);
    });
    return { k: kept, ids, scores };
  }
}
