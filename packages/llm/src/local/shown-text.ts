import type { Tokenizer } from "@rag-ft/models";
import { THOUGHT_MARKS } from "../replies/without-thinking.js";

/**
 * Text of generated ids without special tokens, but with the marks of thoughts: where these are special tokens, thoughts could else not be told
 * from the answer.
 */
export function shownText(tokenizer: Tokenizer, ids: readonly number[]): string {
  const marks = new Map(THOUGHT_MARKS.map((mark) => [tokenizer.tokenId(mark), mark]));
  const pieces: string[] = [];
  let from = 0;
  ids.forEach((id, at) => {
    const mark = marks.get(id);
    if (mark === undefined) return;
    pieces.push(tokenizer.decode(ids.slice(from, at), { skipSpecial: true }), mark);
    from = at + 1;
  });
  return [...pieces, tokenizer.decode(ids.slice(from), { skipSpecial: true })].join("");
}
