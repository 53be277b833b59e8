import { InternalError } from "@rag-ft/core";
import { mean } from "../mean.js";
import { type BootstrapOptions, bootstrapInterval } from "./bootstrap.js";
import { isBinary } from "./estimate-mean.js";
import { Z_95 } from "./normal.js";
import { permutationTest, signTest } from "./paired-tests.js";
import { isSameInAll, type SourceSum, sumBySource } from "./sources.js";
import type { Interval } from "./wilson-interval.js";

/** What separates two runs over the same questions. Positive figures favour the second run, b. */
export interface PairedDifference extends Interval {
  mean_a: number;
  mean_b: number;
  /** mean_b - mean_a, with its 95 % interval in `low` and `high`. */
  difference: number;
  /** Two-sided. */
  p_value: number;
  /** Questions on which b is above a, below it, and equal to it. */
  wins: number;
  losses: number;
  ties: number;
  /** Number of questions. */
  n: number;
  /** `mcnemar`: exact, with Bonett and Price's interval; `permutation`: random signs, with the bootstrap's interval. */
  test: "mcnemar" | "permutation";
  /** Where questions share sources, how many: interval and test are then by source, which have one sign each in the permutations. */
  sources?: number;
}

/**
 * 95 % interval of the difference of two shares of the same `n` questions (Bonett and Price 2012): one win and one loss are added to
 * those seen, so that two runs that hardly differ do not get an interval of width 0, as a bootstrap would give them.
 */
export function pairedShareInterval(wins: number, losses: number, n: number): Interval {
  if (n === 0) return { low: Number.NaN, high: Number.NaN };
  const gained = (wins + 1) / (n + 2);
  const lost = (losses + 1) / (n + 2);
  const half = Z_95 * Math.sqrt((gained + lost - (gained - lost) ** 2) / (n + 2));
  return { low: Math.max(-1, gained - lost - half), high: Math.min(1, gained - lost + half) };
}

/** What both the interval and the test of a paired comparison are made of. */
function pairUp(a: readonly number[], b: readonly number[]) {
  if (a.length !== b.length) throw new InternalError(`Not paired: ${a.length} figures against ${b.length}.`);
  const differences = a.map((value, i) => (b[i] as number) - value);
  return {
    differences,
    wins: differences.filter((value) => value > 0).length,
    losses: differences.filter((value) => value < 0).length,
    binary: isBinary(a) && isBinary(b),
  };
}

/** By source: the bootstrap's; where shares differ by the same in every source, which would give no width, as if each source were a question. */
function sourceInterval(
  { differences, wins, losses, binary }: ReturnType<typeof pairUp>,
  bySource: readonly SourceSum[],
  options: BootstrapOptions,
): Interval {
  const each = bySource.length / differences.length;
  if (binary && isSameInAll(bySource)) return pairedShareInterval(wins * each, losses * each, bySource.length);
  const { low, high } = bootstrapInterval(differences, options);
  return binary ? { low: Math.max(-1, low), high: Math.min(1, high) } : { low, high };
}

function intervalOf(pairs: ReturnType<typeof pairUp>, options: BootstrapOptions): Interval {
  const { differences, wins, losses, binary } = pairs;
  const bySource = sumBySource(differences, options.sources);
  if (bySource) return sourceInterval(pairs, bySource, options);
  return binary ? pairedShareInterval(wins, losses, differences.length) : bootstrapInterval(differences, options);
}

/**
 * The interval of `pairedDifference` alone, without its test, which takes longer.
 *
 * @throws InternalError when the lists differ in length.
 */
export function pairedInterval(a: readonly number[], b: readonly number[], options: BootstrapOptions = {}): Interval {
  return intervalOf(pairUp(a, b), options);
}

/**
 * Compares two runs, question by question: `a[i]` and `b[i]` are figures of the same question. Test and interval are made by different
 * means and may disagree in borderline cases.
 *
 * @throws InternalError when the lists differ in length.
 */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): PairedDifference {
  const pairs = pairUp(a, b);
  const { differences, wins, losses, binary } = pairs;
  const n = a.length;
  const bySource = sumBySource(differences, options.sources);
  const test = bySource
    ? {
        p_value: permutationTest(
          bySource.map(({ sum }) => sum),
          options.seed,
        ),
        test: "permutation" as const,
      }
    : {
        p_value: binary ? signTest(wins, losses) : permutationTest(differences, options.seed),
        test: binary ? ("mcnemar" as const) : ("permutation" as const),
      };
  return {
    mean_a: mean(a),
    mean_b: mean(b),
    difference: mean(differences),
    ...intervalOf(pairs, options),
    p_value: test.p_value,
    wins,
    losses,
    ties: n - wins - losses,
    n,
    test: test.test,
    ...(bySource ? { sources: bySource.length } : {}),
  };
}
