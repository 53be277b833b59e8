import { z } from "zod";

/** What a person says of an answer, each kind with its values, the good one first. A retrieval fault is an answer that is wrong because the passages did not hold what it takes. */
export const ANSWER_LABELS = {
  label: ["correct", "incorrect", "retrieval_fault"],
  helpfulness: ["helpful", "unhelpful"],
  harmlessness: ["harmless", "harmful"],
} as const;

export type LabelKind = keyof typeof ANSWER_LABELS;

export const LABEL_KINDS = Object.keys(ANSWER_LABELS) as LabelKind[];

/** For people: what a kind is called. */
export const LABEL_TITLES: Readonly<Record<LabelKind, string>> = {
  label: "correctness",
  helpfulness: "helpfulness",
  harmlessness: "harmlessness",
};

/** Each kind on its own: a reviewer may leave some out. */
export const givenLabelsSchema = z.object({
  label: z.enum(ANSWER_LABELS.label).optional(),
  helpfulness: z.enum(ANSWER_LABELS.helpfulness).optional(),
  harmlessness: z.enum(ANSWER_LABELS.harmlessness).optional(),
});

export type GivenLabels = z.infer<typeof givenLabelsSchema>;

/**
 * A line of a file of labels: all that one reviewer says of one answer. `question_id` is that of a test's question, or the id of a turn of `serve`;
 * `generated_answer` says which system's answer was labelled, without it any answer to the question; `labeller` who says so.
 */
export const answerLabelSchema = z
  .looseObject({
    question_id: z.string().min(1),
    ...givenLabelsSchema.shape,
    generated_answer: z.string().optional(),
    labeller: z.string().optional(),
  })
  .refine((row) => LABEL_KINDS.some((kind) => row[kind] !== undefined), {
    path: ["label"],
    message: `expected one of ${ANSWER_LABELS.label.join(", ")}, or a helpfulness or harmlessness`,
  });

export type AnswerLabel = z.infer<typeof answerLabelSchema>;

/** What people say of an answer together. */
export interface PeopleSay extends GivenLabels {
  /** How many people. */
  reviewers: number;
  /** Kinds of which no value was given more often than every other. */
  split: LabelKind[];
}

const keyOf = (id: string, answer: string | undefined): string => JSON.stringify([id, answer?.trim() ?? null]);

/** The value that most gave; undefined when nobody gave one, null when no value leads. */
function leading<T>(values: readonly T[]): T | null | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first, second] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first === undefined) return undefined;
  return second !== undefined && second[1] === first[1] ? null : first[0];
}

/** Labels of several reviewers. Of several rows of one reviewer about one answer the last counts: a person may think again. */
export class AnswerLabels {
  /** By answer, then by reviewer. */
  private readonly given = new Map<string, Map<string, AnswerLabel>>();

  constructor(rows: Iterable<AnswerLabel> = []) {
    for (const row of rows) this.add(row);
  }

  add(row: AnswerLabel): void {
    const key = keyOf(row.question_id, row.generated_answer);
    const ofAnswer = this.given.get(key) ?? new Map<string, AnswerLabel>();
    this.given.set(key, ofAnswer.set(row.labeller ?? "", row));
  }

  /** Number of answers that somebody has labelled. */
  get size(): number {
    return this.given.size;
  }

  /** What reviewers gave each answer of one kind, by reviewer; answers that nobody gave any are left out. */
  ratings(kind: LabelKind): ReadonlyMap<string, string>[] {
    const all = [...this.given.values()].map(
      (rows) =>
        new Map(
          [...rows].flatMap(([labeller, row]) => {
            const value = row[kind];
            return value === undefined ? [] : [[labeller, value] as const];
          }),
        ),
    );
    return all.filter(({ size }) => size > 0);
  }

  /** Everybody who has labelled something, in the order of their first labels. */
  get reviewers(): string[] {
    return [...new Set([...this.given.values()].flatMap((rows) => [...rows.keys()]))];
  }

  /** What each reviewer said of this answer, or of any answer to the question. */
  by(questionId: string, answer: string): ReadonlyMap<string, AnswerLabel> | undefined {
    return this.given.get(keyOf(questionId, answer)) ?? this.given.get(keyOf(questionId, undefined));
  }

  /** What most say of an answer, kind by kind; undefined when nobody has labelled it. */
  of(questionId: string, answer: string): PeopleSay | undefined {
    const rows = [...(this.by(questionId, answer)?.values() ?? [])];
    if (rows.length === 0) return undefined;
    const say: PeopleSay = { reviewers: rows.length, split: [] };
    for (const kind of LABEL_KINDS) {
      const value = leading(rows.flatMap((row) => row[kind] ?? []));
      if (value === null) say.split.push(kind);
      else if (value !== undefined) Object.assign(say, { [kind]: value });
    }
    return say;
  }
}
