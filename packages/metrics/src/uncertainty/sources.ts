import { InternalError } from "@rag-ft/core";

/** Sums over the questions of one source. */
export interface SourceSum {
  sum: number;
  size: number;
}

/** Whether all sources have the same mean: what is drawn from them has no spread then, and tells nothing of other sources. */
export function isSameInAll(sources: readonly SourceSum[]): boolean {
  const [first] = sources;
  return first !== undefined && sources.every(({ sum, size }) => sum * first.size === first.sum * size);
}

/**
 * The values by their sources, in the order in which these come; undefined where questions are as good as independent: no sources are known,
 * all are distinct, or there is but one, which tells nothing of others.
 */
export function sumBySource(
  values: readonly number[],
  sources: readonly string[] | undefined,
): readonly SourceSum[] | undefined {
  if (sources === undefined) return undefined;
  if (sources.length !== values.length)
    throw new InternalError(`${sources.length} sources of ${values.length} questions.`);
  const sums = new Map<string, SourceSum>();
  for (const [i, source] of sources.entries()) {
    const one = sums.get(source) ?? { sum: 0, size: 0 };
    one.sum += values[i] as number;
    one.size++;
    sums.set(source, one);
  }
  return sums.size < 2 || sums.size === values.length ? undefined : [...sums.values()];
}
