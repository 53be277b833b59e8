import type { Reporter } from "@rag-ft/core";
import {
  type CountedPassage,
  type CutOptions,
  cutPages,
  type KeptFiles,
  LeftOut,
  makePassages,
  noCounts,
  noPassages,
  type PassageOptions,
  type ReadCounts,
  type SourceFile,
} from "@rag-ft/documents";

/** Passages of all files, and what gave none. */
export interface CutFiles {
  passages: CountedPassage[];
  /** Pages with text. */
  pages: number;
  counts: ReadCounts;
  /** Pages that an earlier run had read and cut. */
  reused: number;
  /** Passages of too few words, and those that a source has twice. */
  short: number;
  duplicates: number;
  leftOut: LeftOut;
}

/** Reads and cuts file after file, those that have changed since `kept`: of a page no more stays than its passages. */
export async function cutFiles(
  files: readonly SourceFile[],
  options: PassageOptions & CutOptions,
  { reporter, turn, kept }: { reporter: Reporter; turn: () => Promise<void>; kept: KeptFiles },
): Promise<CutFiles> {
  const made: CutFiles = {
    passages: [],
    pages: 0,
    reused: 0,
    counts: noCounts(),
    short: 0,
    duplicates: 0,
    leftOut: new LeftOut(),
  };
  const soFar = noPassages();
  const progress = reporter.start("reading and cutting", files.length);
  const onFile = (done: number): void => progress.update(done, `${made.passages.length} passages`);
  const warn = (message: string): void => reporter.warn(message);
  let whole = false;
  try {
    const { counts } = made;
    const onReused = (pages: number): void => {
      made.reused += pages;
    };
    for await (const page of cutPages(files, { onFile, onReused, warn, turn, counts, cut: options, kept })) {
      made.pages++;
      made.leftOut.addAll(page.leftOut);
      const { passages, short, duplicates } = makePassages(page, options, soFar);
      for (const passage of passages) made.passages.push(passage);
      made.short += short;
      made.duplicates += duplicates;
    }
    whole = true;
  } finally {
    progress.stop();
    // What was cut before a fault, or a request to stop, need not be cut again.
    await kept.save(whole);
  }
  return made;
}
