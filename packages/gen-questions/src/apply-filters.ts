import type { QuestionsRow } from "@rag-ft/core";
import { QuestionSet } from "@rag-ft/text";
import type { BaseRetriever } from "./base-retriever.js";
import type { FilterCounts, FilterName } from "./filters.js";
import type { RowToAsk } from "./plan-kinds.js";
import type { Questioner } from "./questioner.js";
import { isStandalone } from "./standalone.js";

/** What filters work with. */
interface Filtering {
  settings: { filters: readonly FilterName[] };
  /** What they did is counted here. */
  filters: FilterCounts;
  /** There when the round-trip filter is on. */
  retriever?: BaseRetriever;
}

/** The filters that look at one row's questions, in the order of `FILTERS`. */
export async function filtered(
  { settings, filters, retriever }: Filtering,
  questioner: Questioner,
  row: RowToAsk,
  questions: string[],
): Promise<string[]> {
  const [passage] = row.gold_docs;
  const apply: Partial<Record<FilterName, (given: readonly string[]) => Promise<string[]> | undefined>> = {
    standalone: async (given) => given.filter(isStandalone),
    "round-trip": (given) => retriever?.roundTrip(row, given),
    answerable: (given) => questioner.keepAnswerable?.(row, given),
  };
  let kept = questions;
  const isForeign =
    settings.filters.includes("standalone") && passage !== undefined && questioner.foreign.of(passage) !== undefined;
  for (const name of settings.filters) {
    // Such a question cannot be understood without its dialogue, and is not to be.
    if (name === "standalone" && row.question_kind === "follow_up") continue;
    if (name === "standalone" && isForeign) {
      kept = filters.stepAside(kept);
      continue;
    }
    const result = await apply[name]?.(kept);
    if (result) kept = filters.count(name, kept, result);
  }
  return kept;
}

/** Drops what asks the same as a question before it, in this set or among `earlier` ones. Undefined when that filter is off. */
export function duplicatesFilter(
  { settings, filters }: Filtering,
  earlier: readonly QuestionsRow[],
): ((questions: string[]) => string[]) | undefined {
  if (!settings.filters.includes("duplicates")) return undefined;
  const known = new QuestionSet();
  for (const { questions } of earlier) for (const question of questions) known.add(question);
  return (questions) => {
    const kept = questions.filter((question) => {
      if (known.same(question).length > 0) return false;
      known.add(question);
      return true;
    });
    return filters.count("duplicates", questions, kept);
  };
}
