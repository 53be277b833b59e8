import { UserError } from "@rag-ft/core";
import type { MetadataFilter } from "./metadata-filter.js";

/** A part of a ranking: `limit` passages from place `offset` on (0 when left out), among those that fit the filter. */
export interface Page {
  limit: number;
  offset?: number;
  filter?: MetadataFilter;
}

/** Passages that must be ranked for a page. @throws UserError when it is none. */
export function depthOf({ limit, offset = 0 }: Page): number {
  for (const [name, value] of Object.entries({ limit, offset })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new UserError(`Expected a whole number of 0 or more for the search's ${name}, found ${value}.`);
  }
  return limit + offset;
}
