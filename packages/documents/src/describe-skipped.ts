import { UserError } from "@rag-ft/core";

/** `3 pages without text, 1 file twice`; empty when nothing was counted. */
export function describeCounts(counts: Record<string, number>): string {
  return Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${what}`)
    .join(", ");
}

/** Files, pages and passages that are not in a database, by the reason. */
export interface Skipped {
  empty: number;
  identical: number;
  older: number;
  unreadable: number;
  short: number;
  duplicates: number;
  /** Passages that another contains. */
  dropped: number;
}

/**
 * How many were left out of a database, and in words.
 *
 * @param list - file of the passages that another contains
 */
export function describeSkipped(
  { empty, identical, older, unreadable, short, duplicates, dropped }: Skipped,
  { minWords, list }: { minWords: number; list: string },
): { skipped: number; text: string } {
  return {
    skipped: empty + identical + older + unreadable + short + duplicates + dropped,
    text: describeCounts({
      "pages without text": empty,
      "files with the text of another": identical,
      "files of an older version of a package": older,
      "files that cannot be read": unreadable,
      [`passages of fewer than ${minWords} words`]: short,
      "passages twice": duplicates,
      [`passages that another contains (${list})`]: dropped,
    }),
  };
}

/** @throws UserError when nothing is left to make a database of. */
export function requirePassages(passages: number, files: number): void {
  if (passages === 0)
    throw new UserError(`No passage was made of ${files} files: they hold no text of min_words or more.`);
}
