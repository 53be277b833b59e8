// Hard negatives from the whole database, by the retriever that is to be trained.
//
// 1. Each question retrieves the passages that score highest; the candidates of a row are those of all its questions.
// 2. Likely positives go: the gold passages and their near-duplicates, and whatever scores at least `margin` of the gold passage's score
//    for one of the questions (positive-aware mining with a share of the positive's score: Moreira et al. 2024, NV-Retriever).
// 3. Of the hardest that remain, none of them a near-duplicate of another, `count` are drawn.
import {
  createRandom,
  type Document,
  deriveSeed,
  documentId,
  documentKey,
  type QuestionsRow,
  type Reporter,
  retrievalQuery,
  throwIfCancelled,
} from "@rag-ft/core";
import { areNear, type Shingles, shingles } from "@rag-ft/text";
import type { DenseRetriever } from "../dense-retriever.js";
import { innerProduct } from "../inner-product.js";
import type { Retrieved, Retriever } from "../retriever.js";
import { likelyLimit } from "./likely-answers.js";

/** Passages retrieved a question: enough to get past the likely positives of a database full of copies. */
const DEPTH = 200;

export interface MineOptions {
  /** Its vectors say what scores too high. */
  retriever: DenseRetriever;
  /** The search that says how hard a passage is, such as by vectors and words; the retriever itself when left out. */
  ranking?: Retriever;
  /** Hard negatives a row. */
  count: number;
  margin: number;
  /** Drawn from so many of the hardest, at least `count`. */
  pool: number;
  seed: number;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface MinedCounts {
  /** Candidates that were left out as copies of the gold passage, and those left out because they score too high. */
  near_duplicates: number;
  above_margin: number;
  /** Rows with fewer negatives than asked for. */
  short: number;
  negatives: number;
}

export interface Mined {
  rows: QuestionsRow[];
  counts: MinedCounts;
}

/** For each question, its gold passage's score: the best one's when there are several. */
async function goldScores(
  questions: readonly { query: string; gold: readonly Document[] }[],
  retrieved: readonly Retrieved[],
  { retriever: { encoder }, signal }: MineOptions,
): Promise<number[]> {
  const scores = questions.map(({ gold }, i) => {
    const keys = new Set(gold.map(documentKey));
    const found = retrieved[i]?.documents.findIndex((document) => keys.has(documentKey(document))) ?? -1;
    return found < 0 ? undefined : retrieved[i]?.scores[found];
  });
  // Gold passages that were not retrieved, or are not in the database: few, so that their vectors are made anew.
  const missing = scores.flatMap((score, i) => (score === undefined ? [i] : []));
  const texts = [...new Set(missing.flatMap((i) => questions[i]?.gold.map((gold) => gold.fmt_content) ?? []))];
  if (texts.length === 0) return scores as number[];
  const passages = await encoder.embed(texts, "passage", { signal });
  const queries = await encoder.embed(
    missing.map((i) => (questions[i] as { query: string }).query),
    "query",
    { signal },
  );
  const row = (all: Float32Array, i: number) => all.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions);
  missing.forEach((i, at) => {
    const of = questions[i]?.gold.map((gold) =>
      innerProduct(row(queries, at), row(passages, texts.indexOf(gold.fmt_content))),
    );
    scores[i] = Math.max(...(of ?? []));
  });
  return scores as number[];
}

/** What another search found, with the scores of the retriever's vectors. */
async function withVectorScores(
  queries: readonly string[],
  found: readonly Retrieved[],
  { retriever: { encoder, index }, signal }: MineOptions,
): Promise<Retrieved[]> {
  const { dimensions } = encoder;
  const vectors = await encoder.embed(queries, "query", { signal });
  const all: Retrieved[] = [];
  for (const [i, one] of found.entries()) {
    throwIfCancelled(signal);
    const query = vectors.subarray(i * dimensions, (i + 1) * dimensions);
    const passages = await index.store.vectors(one.ids);
    const score = (place: number): number =>
      innerProduct(query, passages.subarray(place * dimensions, (place + 1) * dimensions));
    all.push({ ...one, scores: one.ids.map((_, place) => Math.fround(score(place))) });
  }
  return all;
}

/** A passage that a row's questions retrieved. */
interface Candidate {
  /** Place in the database. */
  id: number;
  document: Document;
  /** The highest of all questions. */
  score: number;
  /** Whether a question forbids it. */
  tooHigh: boolean;
}

/** A row's candidates, hardest first. */
function candidatesOf(
  retrieved: readonly Retrieved[],
  vectorScores: readonly Retrieved[],
  limits: readonly number[],
): Candidate[] {
  const found = new Map<number, Candidate>();
  retrieved.forEach(({ ids, scores, documents }, question) => {
    ids.forEach((id, place) => {
      const score = scores[place] as number;
      const tooHigh = (vectorScores[question]?.scores[place] as number) >= (limits[question] as number);
      const known = found.get(id);
      if (known === undefined) found.set(id, { id, document: documents[place] as Document, score, tooHigh });
      else found.set(id, { ...known, score: Math.max(score, known.score), tooHigh: tooHigh || known.tooHigh });
    });
  });
  return [...found.values()].sort((a, b) => b.score - a.score || a.id - b.id);
}

/**
 * The rows with mined hard negatives in place of theirs. The same rows, database, encoder and seed give the same negatives, and a row's
 * do not depend on the other rows.
 */
export async function mineHardNegatives(rows: readonly QuestionsRow[], options: MineOptions): Promise<Mined> {
  const { retriever, count, margin, seed, reporter, signal } = options;
  const pool = Math.max(options.pool, count);
  const counts: MinedCounts = { near_duplicates: 0, above_margin: 0, short: 0, negatives: 0 };
  const questions = rows.flatMap(({ questions: own, gold_docs, chat_history }) =>
    own.map((question) => ({ query: retrievalQuery({ question, chat_history }), gold: gold_docs })),
  );
  const texts = questions.map(({ query }) => query);
  const retrieved = await (options.ranking ?? retriever).retrieve(texts, DEPTH, { reporter, signal });
  const byVectors = options.ranking ? await withVectorScores(texts, retrieved, options) : retrieved;
  const gold = await goldScores(questions, byVectors, options);
  const known = new Map<number, Shingles>();
  const shinglesOf = ({ id, document }: Candidate): Shingles => {
    const found = known.get(id) ?? shingles(document.page_content);
    known.set(id, found);
    return found;
  };

  let next = 0;
  const mined = rows.map((row): QuestionsRow => {
    const from = next;
    next += row.questions.length;
    const limits = gold.slice(from, next).map((score) => likelyLimit(score, margin));
    const goldShingles = row.gold_docs.map((document) => shingles(document.page_content));
    const goldKeys = new Set(row.gold_docs.map(documentKey));
    const hardest: Candidate[] = [];
    for (const candidate of candidatesOf(retrieved.slice(from, next), byVectors.slice(from, next), limits)) {
      if (hardest.length === pool) break;
      if (goldKeys.has(documentKey(candidate.document))) continue;
      const own = shinglesOf(candidate);
      if (goldShingles.some((other) => areNear(own, other))) counts.near_duplicates++;
      else if (candidate.tooHigh) counts.above_margin++;
      else if (!hardest.some((other) => areNear(own, shinglesOf(other)))) hardest.push(candidate);
    }
    const random = createRandom(
      deriveSeed(seed, ...row.gold_docs.map((document) => Number(`0x${documentId(document).slice(0, 8)}`))),
    );
    const drawn = random.sample(hardest, count).map(({ document }) => document);
    counts.negatives += drawn.length;
    if (drawn.length < count) counts.short++;
    return { ...row, hard_neg_docs: drawn };
  });
  return { rows: mined, counts };
}
