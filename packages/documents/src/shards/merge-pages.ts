import { bytesAtOnce } from "@rag-ft/core";
import { chosenPages, noCounts } from "../files/read-pages.js";
import { LeftOut } from "../left-out.js";
import { CountedOccurrences, type Occurrences } from "../occurrences.js";
import { type CountedPassage, makePassages, noPassages, type PassageOptions, type PassagesSoFar } from "../passages.js";
import { PagesLogReader } from "./pages-log.js";
import { SpilledOccurrences } from "./spilled-occurrences.js";

/** Up to so many pages and passages are known in memory, in one reading of the parts. */
const MOST_IN_MEMORY = 1 << 20;

export interface MergePagesOptions extends PassageOptions {
  /** Parts' files, in the order of the parts. */
  parts: readonly string[];
  /** Files of all parts together. */
  files: number;
  /** Pages and passages of all parts together, before any is left out. */
  keys: number;
  /** Where files are put that the caller removes. */
  folder: string;
  turn(): Promise<void>;
  onFile?(done: number): void;
  /** Other bounds, for tests. */
  mostInMemory?: number;
  keysTogether?: number;
}

/** What the parts gave together; grows while passages come. */
export interface MergedCounts {
  pages: number;
  empty: number;
  identical: number;
  short: number;
  duplicates: number;
  sources: number;
  passages: number;
  leftOut: LeftOut;
  /** Passages of each number of tokens. */
  sizes: Map<number, number>;
}

export const noMerged = (): MergedCounts => ({
  ...{ pages: 0, empty: 0, identical: 0, short: 0, duplicates: 0, sources: 0, passages: 0 },
  leftOut: new LeftOut(),
  sizes: new Map(),
});

interface Known extends PassagesSoFar {
  pages: Occurrences;
}

/** The parts' pages in the order of all files, and the passages of those that count: what a run of all files does, but for reading and cutting. */
async function* readThrough(
  { parts, files, turn, onFile = () => {}, ...options }: MergePagesOptions,
  known: Known,
  merged: MergedCounts,
  withPassages = true,
): AsyncGenerator<CountedPassage> {
  const readers = parts.map((path) => new PagesLogReader(path, bytesAtOnce(parts.length)));
  const counts = noCounts();
  const pagesOf = (_: number, place: number) => (readers[place % parts.length] as PagesLogReader).pagesOf(place);
  const choice = { counts, skipped: 0, pagesOf, seen: known.pages, onFile, turn, warn: () => {} };
  try {
    for await (const page of chosenPages(upTo(files), { ...choice, hashOf: ({ hash }) => hash })) {
      if (!withPassages) continue;
      merged.pages++;
      merged.leftOut.addAll(page.leftOut);
      const made = makePassages(page, options, known);
      merged.short += made.short;
      merged.duplicates += made.duplicates;
      for (const counted of made.passages) {
        merged.passages++;
        merged.sizes.set(counted.tokens, (merged.sizes.get(counted.tokens) ?? 0) + 1);
        if (counted.passage.metadata.seq_num === 1) merged.sources++;
        yield counted;
      }
    }
    Object.assign(merged, { empty: counts.empty, identical: counts.identical });
  } finally {
    for (const reader of readers) await reader.close();
  }
}

function* upTo(number: number): Generator<number> {
  for (let place = 0; place < number; place++) yield place;
}

async function drain(all: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of all);
}

/**
 * The passages of all parts, as a run of all files makes them: each page's text once, passages numbered by source. Where there are too many to know
 * them all in memory, the parts are read four times: what is known of pages decides which passages count, and these how they are numbered.
 */
export async function* mergePages(options: MergePagesOptions, merged: MergedCounts): AsyncGenerator<CountedPassage> {
  const { keys, folder, mostInMemory = MOST_IN_MEMORY, keysTogether } = options;
  if (keys <= mostInMemory) {
    yield* readThrough(options, { pages: new CountedOccurrences(), ...noPassages() }, merged);
    return;
  }
  const spilled = (name: string): SpilledOccurrences => new SpilledOccurrences(folder, name, keys, keysTogether);
  const known = { pages: spilled("pages"), passages: spilled("passages"), sources: spilled("sources") };
  const none: Occurrences = { next: () => 1 };
  const quiet = { ...options, onFile: () => {} };
  try {
    known.pages.takeDown();
    await drain(readThrough(quiet, { ...known, passages: none, sources: none }, noMerged(), false));
    known.pages.answer();
    known.passages.takeDown();
    await drain(readThrough(quiet, { ...known, sources: none }, noMerged()));
    known.pages.answer();
    known.passages.answer();
    known.sources.takeDown();
    await drain(readThrough(quiet, known, noMerged()));
    for (const one of Object.values(known)) one.answer();
    yield* readThrough(options, known, merged);
  } finally {
    for (const one of Object.values(known)) one.close();
  }
}
