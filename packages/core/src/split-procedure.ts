/** What the training, evaluation and test sets do not share; `question` is LocalRQA's procedure. */
export const SPLIT_PROCEDURES = ["passage", "source", "question"] as const;
export type SplitProcedure = (typeof SPLIT_PROCEDURES)[number];

/** Where rows do not say how they were split, as those of other programs. */
export const UNKNOWN_SPLIT = "unknown";

const NOTES: Readonly<Record<string, string>> = {
  passage: "Split by passage: training asks about no held-out passage; sources may be shared (--split_by source).",
  source: "Split by source: the sets share no source.",
  question:
    "Split by question, as the reference: training asks about held-out passages too, but for similar questions.",
  [UNKNOWN_SPLIT]: "Split: unknown (made elsewhere).",
};

/** A row's own word: gen-questions gives it with the question's provenance, files of results beside their figures. */
function procedureOf(row: object): string {
  const { split_by, question_provenance: made } = row as Readonly<Record<string, unknown>>;
  const said =
    split_by ?? (typeof made === "object" && made !== null && "split_by" in made ? made.split_by : undefined);
  return SPLIT_PROCEDURES.find((known) => known === said) ?? UNKNOWN_SPLIT;
}

/**
 * How the questions were split, as their rows say: one of `SPLIT_PROCEDURES`, `unknown` where rows do not say it, as those of other programs, or
 * all that occur, in a fixed order with commas between, where files of several makings were put together.
 */
export function splitProcedureOf(rows: Iterable<object>): string {
  const found = new Set<string>();
  for (const row of rows) found.add(procedureOf(row));
  return [...SPLIT_PROCEDURES, UNKNOWN_SPLIT].filter((name) => found.has(name)).join(", ") || UNKNOWN_SPLIT;
}

/** The line that stands with a table of figures. Files of earlier versions say no procedure: it is unknown then. */
export function describeSplit(procedure: unknown): string {
  if (typeof procedure !== "string" || procedure === "") return NOTES[UNKNOWN_SPLIT] as string;
  return (
    NOTES[procedure] ??
    `Split in several ways (${procedure}): the questions are not of one making, and the sets may share passages.`
  );
}

/** The same rows as split by another procedure than their questions were made for. */
export function withSplitProcedure<T extends Readonly<Record<string, unknown>>>(row: T, split_by: SplitProcedure): T {
  const { question_provenance: made } = row;
  return { ...row, question_provenance: { ...(typeof made === "object" ? made : {}), split_by } };
}
