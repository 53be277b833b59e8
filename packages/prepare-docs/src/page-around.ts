import type { CountedPassage } from "@rag-ft/documents";

/** What stands for parts of a page that are left out. */
const GAP = "[…]";

/**
 * A page as a model is shown it beside one of its passages, of at most `limit` tokens: the whole where it fits; else its beginning, which says what it is about, in a third of
 * that, and what stands around the passage in the rest. `at`: the passage's place among the page's passages.
 */
export function pageAround(passages: readonly CountedPassage[], at: number, limit: number): string {
  const total = passages.reduce((sum, { tokens }) => sum + tokens, 0);
  const shown = new Set<number>([at]);
  if (total <= limit) for (const i of passages.keys()) shown.add(i);
  else {
    let left = limit - (passages[at]?.tokens ?? 0);
    const take = (i: number, least: number): boolean => {
      const tokens = passages[i]?.tokens;
      if (tokens === undefined || shown.has(i)) return tokens !== undefined;
      if (left - tokens < least) return false;
      shown.add(i);
      left -= tokens;
      return true;
    };
    const beginning = Math.floor((left * 2) / 3);
    for (let i = 0; take(i, beginning); ) i++;
    for (let distance = 1, before = true, after = true; before || after; distance++) {
      before &&= take(at - distance, 0);
      after &&= take(at + distance, 0);
    }
  }
  const parts: string[] = [];
  let last = -1;
  for (const i of [...shown].sort((a, b) => a - b)) {
    if (i !== last + 1) parts.push(GAP);
    parts.push(passages[i]?.passage.page_content.trim() ?? "");
    last = i;
  }
  if (last < passages.length - 1) parts.push(GAP);
  return parts.join("\n\n");
}
