import { InternalError } from "@rag-ft/core";

/** Sums over the questions of one source. */
export interface SourceSum {
  sum: number;
  size: number;
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
