import { formatTable } from "@rag-ft/core";
import type { LeftOut } from "./choose-passages.js";

/** A set of questions that was asked for, and what came of its passages. */
export interface AskedSet {
  /** `held-out` or `training`. */
  name: string;
  /** Questions. */
  wanted: number;
  made: number;
  /** Passages that can be asked about, and those of them that this set may not have, as other sets do. */
  passages: number;
  keptApart: number;
  /** Passages that stand beside another in a question over both. */
  paired?: number;
  asked: number;
  /** Of those asked. */
  withQuestions: number;
}

/** Why fewer questions came than were wanted; undefined when there are as many. */
export function whyFewer({
  wanted,
  made,
  passages,
  keptApart,
  paired = 0,
  asked,
  withQuestions,
}: AskedSet): string | undefined {
  if (made >= wanted) return undefined;
  const vain = asked - withQuestions;
  const left = passages - keptApart - paired - asked;
  const each = withQuestions === 0 ? 0 : made / withQuestions;
  return [
    left > 0
      ? `a passage is counted as two questions, and ${withQuestions} gave ${each.toFixed(2)} each`
      : `all ${asked} passages that may be asked about were`,
    ...(vain > 0 ? [`${vain} gave no usable question`] : []),
    ...(keptApart > 0 && left <= 0 ? [`${keptApart} are kept for the other sets`] : []),
    ...(left <= 0 && each < 2 && withQuestions > 0 ? [`the others gave ${each.toFixed(2)} each`] : []),
  ].join("; ");
}

/** What became of every passage of the database: each is counted once for every set of questions. */
export class PassageCounts {
  private readonly before = new Map<LeftOut, number>();
  private readonly sets: AskedSet[] = [];

  readonly leftOut = (reason: LeftOut): void => {
    this.before.set(reason, (this.before.get(reason) ?? 0) + 1);
  };

  add(set: AskedSet): void {
    this.sets.push(set);
  }

  /** Passages by what became of them, for one set; they add up to the database where it was read. */
  private of({ passages, keptApart, paired = 0, asked, withQuestions }: AskedSet): [what: string, count: number][] {
    return [
      ...[...this.before].map(([reason, count]): [string, number] => [`left out: ${reason}`, count]),
      ["kept for the other sets", keptApart],
      ...(paired > 0 ? [["beside another in a question over both", paired] as [string, number]] : []),
      ["asked, with questions", withQuestions],
      ["asked, without a usable question", asked - withQuestions],
      ["not asked: enough without", passages - keptApart - paired - asked],
    ];
  }

  /** For the run's record. */
  record(): object {
    return {
      left_out: Object.fromEntries(this.before),
      ...Object.fromEntries(
        this.sets.map((set) => [
          set.name,
          { wanted: set.wanted, made: set.made, why_fewer: whyFewer(set), passages: Object.fromEntries(this.of(set)) },
        ]),
      ),
    };
  }

  /** What was wanted and made, and a table of the passages. */
  lines(): string[] {
    if (this.sets.length === 0)
      return [...this.before].map(([reason, count]) => `passages left out: ${reason}: ${count}`);
    const made = this.sets.map((set) => {
      const why = whyFewer(set);
      return `${set.name}: ${set.wanted} questions wanted, ${set.made} made from ${set.withQuestions} passages${why ? `: ${why}` : ""}`;
    });
    const names = this.sets.map(({ name }) => name);
    const columns = this.sets.map((set) => new Map(this.of(set)));
    const rows = [...(columns[0]?.keys() ?? [])].map((what) => ({
      passages: what,
      ...Object.fromEntries(columns.map((column, i) => [names[i], column.get(what)])),
    }));
    return [...made, formatTable(rows, ["passages", ...names])];
  }
}
