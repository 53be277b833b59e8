import type { Reporter } from "@rag-ft/core";
import {
  type CountedPassage,
  LeftOut,
  makePassages,
  noCounts,
  type PassageOptions,
  type PassagesSoFar,
  type ReadCounts,
  readPages,
  type SourceFile,
} from "@rag-ft/documents";

/** Passages of all files, and what gave none. */
export interface CutFiles {
  passages: CountedPassage[];
  /** Pages with text. */
  pages: number;
  counts: ReadCounts;
  /** Passages of too few words, and those that a source has twice. */
  short: number;
  duplicates: number;
  leftOut: LeftOut;
}

/** Reads and cuts file after file: of a page no more is kept than its passages. */
export async function cutFiles(
  files: readonly SourceFile[],
  options: PassageOptions,
  { reporter, turn }: { reporter: Reporter; turn: () => Promise<void> },
): Promise<CutFiles> {
  const made: CutFiles = {
    passages: [],
    pages: 0,
    counts: noCounts(),
    short: 0,
    duplicates: 0,
    leftOut: new LeftOut(),
  };
  const soFar: PassagesSoFar = { seen: new Set(), numbers: new Map() };
  const progress = reporter.start("reading and cutting", files.length);
  const onFile = (done: number): void => progress.update(done, `${made.passages.length} passages`);
  const warn = (message: string): void => reporter.warn(message);
  try {
    for await (const page of readPages(files, { onFile, warn, turn, counts: made.counts })) {
      made.pages++;
      made.leftOut.addAll(page.leftOut);
      const { passages, short, duplicates } = await makePassages(page, options, soFar, turn);
      for (const passage of passages) made.passages.push(passage);
      made.short += short;
      made.duplicates += duplicates;
    }
  } finally {
    progress.stop();
  }
  return made;
}
