import { betweenCommas, formatTable } from "@rag-ft/core";
import { z } from "zod";

/** Filters of questions, in the order in which a question meets them: what costs nothing comes first. */
export const FILTERS = ["standalone", "round-trip", "answerable", "duplicates"] as const;

export type FilterName = (typeof FILTERS)[number];

/** `none`, `all`, or names between commas; in the order of `FILTERS`, each once. */
export const filtersSetting = () =>
  z
    .preprocess(
      (value) => {
        const names = betweenCommas(value).filter((name) => name !== "" && name !== "none");
        return names.includes("all") ? [...FILTERS] : names;
      },
      z.array(z.enum(FILTERS)),
    )
    .transform((names) => FILTERS.filter((name) => names.includes(name)))
    .default([]);

/** What each filter of a run did: questions that it saw, and those that it dropped. */
export class FilterCounts {
  private readonly counts = new Map<FilterName, { seen: number; dropped: number }>();
  /** Questions that the rules of `standalone`, which are for English, were not tried on. */
  private notEnglish = 0;

  constructor(names: readonly FilterName[]) {
    for (const name of names) this.counts.set(name, { seen: 0, dropped: 0 });
  }

  /** Counts what a filter was given and what it kept, and returns what it kept. */
  count(name: FilterName, given: readonly string[], kept: string[]): string[] {
    const counts = this.counts.get(name);
    if (counts) {
      counts.seen += given.length;
      counts.dropped += given.length - kept.length;
    }
    return kept;
  }

  /** Counts questions that the filter `standalone` leaves alone, and returns them. */
  stepAside(questions: string[]): string[] {
    this.notEnglish += questions.length;
    return questions;
  }

  /** By filter, for the run's record. */
  record(): Record<string, { seen: number; dropped: number; not_english?: number }> {
    const { standalone, ...others } = Object.fromEntries(this.counts);
    return {
      ...(standalone && {
        standalone: { ...standalone, ...(this.notEnglish > 0 ? { not_english: this.notEnglish } : {}) },
      }),
      ...others,
    };
  }

  figures(): Record<string, number> {
    return Object.fromEntries(
      [...this.counts].map(([name, { dropped }]) => [`dropped_by_${name.replaceAll("-", "_")}`, dropped]),
    );
  }

  /** A table, a line a filter, and what a filter did not look at; none without filters. */
  lines(): string[] {
    const rows = [...this.counts].map(([name, { seen, dropped }]) => ({
      filter: name,
      questions: seen,
      dropped,
      kept: seen - dropped,
    }));
    return [
      ...(rows.length === 0 ? [] : [formatTable(rows, Object.keys(rows[0] as object))]),
      ...(this.notEnglish > 0
        ? [
            `The filter standalone knows English only: ${this.notEnglish} questions to passages in other languages went by it unseen.`,
          ]
        : []),
    ];
  }
}
