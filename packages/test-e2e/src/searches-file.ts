import { describeSplit, type QaRow, type SearchesFile, searchName, splitProcedureOf } from "@rag-ft/core";
import type { Side } from "./cells.js";
import { type SearchAlone, type SideRetrieval, usedSearch } from "./retrieve-for-all.js";

/** What `searches.json` says. */
export function searchesFile(
  alone: readonly SearchAlone[],
  sides: ReadonlyMap<Side, SideRetrieval> | undefined,
  rows: readonly QaRow[],
): SearchesFile {
  const used = [...(sides ?? [])].map(([side, found]) => [side, usedSearch(found)]);
  return {
    version: 1,
    questions: rows.length,
    split_by: splitProcedureOf(rows),
    used: Object.fromEntries(used),
    alone: [...alone],
  };
}

/** Lines beneath the table: how passages were found, and how the questions were split. */
export function searchLines({ used: { base, tuned }, split_by }: SearchesFile): string[] {
  const [first, second] = [base, tuned].map((search) => search && searchName(search));
  const same = first === undefined || first === second;
  return [
    ...(second === undefined
      ? []
      : [same ? `Searched by ${second}.` : `Searched by ${second}; the base retriever by ${first}.`]),
    describeSplit(split_by),
  ];
}
