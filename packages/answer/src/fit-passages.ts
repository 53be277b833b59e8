import type { Document } from "@rag-ft/core";

/**
 * The best-ranked passages whose prompt keeps within `limit` tokens: the lowest-ranked go first. `countTokens` counts the
 * whole prompt made of the passages given. None may be left when the question alone is too long.
 */
export function fitPassages(
  passages: readonly Document[],
  limit: number,
  countTokens: (passages: readonly Document[]) => number,
): Document[] {
  let kept = passages.length;
  while (kept > 0 && countTokens(passages.slice(0, kept)) > limit) kept--;
  return passages.slice(0, kept);
}
