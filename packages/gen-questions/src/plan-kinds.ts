import { type Document, documentKey, type QuestionKind } from "@rag-ft/core";
import { EXTRACTIVE_KINDS, extractiveQuestionsOfKind } from "@rag-ft/extractive";
import { type DomainConfig, EXTRACTIVE } from "@rag-ft/llm";
import { containment, shingles } from "@rag-ft/text";
import type { PassageRow } from "./choose-passages.js";

/** A passage to ask about, with the kind of question that is asked; without one as ever. */
export type RowToAsk = PassageRow & { question_kind?: QuestionKind };

/** Words of which a passage that explains a failure has one. */
const FAILURE =
  /\b(?:\w*errors?|\w*exceptions?|errno|warnings?|fail(?:s|ed|ure|ures|ing)?|fatal|crash(?:es|ed)?|cannot|can't|unable|denied|refused|invalid|unexpected|not found|timed? ?out|troubleshoot\w*|problems?)\b|エラー|例外|失敗|错误|異常|异常|失败|오류|실패|ошибк|исключени|Fehler|erreur|errores|erro\b/iu;

/** Whether a passage can be asked about in this way at all, before anybody is asked. */
export type CanAsk = (passage: Document, kind: QuestionKind) => boolean;

/** By who asks: rules make the kinds that they can of passages that have something for them; a model all, messages where a passage speaks of failures. */
export function canAskBy(promptModel: string): CanAsk {
  if (promptModel !== EXTRACTIVE)
    return (passage, kind) => kind !== "error_message" || FAILURE.test(passage.page_content);
  return (passage, kind) => EXTRACTIVE_KINDS.includes(kind) && extractiveQuestionsOfKind(passage, kind).length > 0;
}

/** The later passage of the same source that shares the most words with this one; undefined when all are taken. */
function partnerOf(row: PassageRow, later: readonly PassageRow[]): PassageRow | undefined {
  const [gold] = row.gold_docs;
  if (!gold) return undefined;
  const words = shingles(gold.page_content, 1);
  let best: { row: PassageRow; share: number } | undefined;
  for (const other of later) {
    const [passage] = other.gold_docs;
    if (!passage || passage.metadata.source !== gold.metadata.source) continue;
    const own = shingles(passage.page_content, 1);
    const share = Math.max(containment(words, own), containment(own, words));
    if (share > (best?.share ?? -1)) best = { row: other, share };
  }
  return best?.row;
}

/** One row of two, whose negatives are neither of them. */
function pairOf(row: PassageRow, partner: PassageRow): PassageRow {
  const gold_docs = [...row.gold_docs, ...partner.gold_docs];
  const keys = new Set(gold_docs.map(documentKey));
  return { ...row, gold_docs, hard_neg_docs: row.hard_neg_docs.filter((passage) => !keys.has(documentKey(passage))) };
}

/**
 * What is asked of each passage, in their order: at every place the kind that is furthest behind its share, of those that the passage can be asked in, so
 * that any stretch of the list has the domain's shares. A question over two passages takes a later one of the same source with it, which is asked about by
 * itself no more: no passage is gold in two rows, and so in none of two sets.
 */
export function planKinds(
  passages: readonly PassageRow[],
  kinds: DomainConfig["question_kinds"],
  canAsk: CanAsk,
): RowToAsk[] {
  if (!kinds) return [...passages];
  const shares = Object.entries(kinds).filter(([, share]) => share > 0) as [QuestionKind, number][];
  const given = new Map<QuestionKind, number>();
  const taken = new Set<PassageRow>();
  const rows: RowToAsk[] = [];
  // Without those that are asked in none of the domain's kinds, and most often in vain.
  let chosen = 0;
  for (const [i, row] of passages.entries()) {
    const [gold] = row.gold_docs;
    if (taken.has(row) || !gold) continue;
    const behind = shares
      .map(([kind, share]) => ({ kind, lack: share * (chosen + 1) - (given.get(kind) ?? 0) }))
      .sort((a, b) => b.lack - a.lack);
    const partner = (): PassageRow | undefined =>
      partnerOf(
        row,
        passages.slice(i + 1).filter((other) => !taken.has(other)),
      );
    let second: PassageRow | undefined;
    const kind = behind.find((one) => {
      if (!canAsk(gold, one.kind)) return false;
      second = one.kind === "two_passages" ? partner() : undefined;
      return one.kind !== "two_passages" || second !== undefined;
    })?.kind;
    if (kind !== undefined) {
      given.set(kind, (given.get(kind) ?? 0) + 1);
      chosen++;
    }
    if (second) taken.add(second);
    rows.push({ ...(second ? pairOf(row, second) : row), question_kind: kind ?? "full" });
  }
  return rows;
}

/** Kinds that a domain asks for and this questioner cannot make, by name. */
export function impossibleKinds(kinds: DomainConfig["question_kinds"], promptModel: string): QuestionKind[] {
  if (promptModel !== EXTRACTIVE) return [];
  return (Object.entries(kinds ?? {}) as [QuestionKind, number][]).flatMap(([kind, share]) =>
    share > 0 && !EXTRACTIVE_KINDS.includes(kind) ? [kind] : [],
  );
}
