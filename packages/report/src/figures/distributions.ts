import type { Answered, System } from "../read/system.js";

/** Equal parts that [0, 1] is cut into. */
const BINS = 10;

/** How many of a system's answers fall into each tenth of a score; 1 belongs to the last. */
export function histogram(
  { label, answers }: Pick<System, "label" | "answers">,
  score: string,
): { system: string; from: number; to: number; answers: number }[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const { scores } of answers) {
    const value = scores[score];
    if (value === undefined) continue;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(value * BINS)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts.map((count, i) => ({ system: label, from: i / BINS, to: (i + 1) / BINS, answers: count }));
}

/** Ranks shown one by one. */
const RANKS = 8;
export const MISSED = "missed";

/** The rank of the gold passage that came last; `missed` when one was not retrieved. */
export function lastRank({ goldRanks = [null] }: Pick<Answered, "goldRanks">): number | undefined {
  const ranks = goldRanks.filter((rank) => rank !== null);
  return ranks.length < goldRanks.length ? undefined : Math.max(...ranks);
}

function rankName(rank: number | undefined): string {
  if (rank === undefined) return MISSED;
  return rank <= RANKS ? String(rank) : `${RANKS + 1}+`;
}

/** Questions by the rank of their gold passage, for several systems: every rank that one of them has, in order, `missed` last. */
export function rankCounts(
  systems: readonly Pick<System, "label" | "answers">[],
): { system: string; rank: string; questions: number }[] {
  const deepest = Math.max(0, ...systems.flatMap(({ answers }) => answers.map((answer) => lastRank(answer) ?? 0)));
  const ranks = Array.from({ length: Math.min(deepest, RANKS + 1) }, (_, i) => rankName(i + 1));
  return [...ranks, MISSED].flatMap((rank) =>
    systems.map(({ label, answers }) => ({
      system: label,
      rank,
      questions: answers.filter((answer) => rankName(lastRank(answer)) === rank).length,
    })),
  );
}
