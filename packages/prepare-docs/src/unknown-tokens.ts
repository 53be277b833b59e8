import type { Document } from "@rag-ft/core";
import type { Tokenizer } from "@rag-ft/models";

/** Above this share of tokens that the tokenizer does not know, a model cannot tell passages apart. */
const MOST_UNKNOWN = 0.02;
/** Passages looked at, evenly over all. */
const SAMPLE = 500;
/** Of the middle of each; many short looks say more than few long ones. */
const CHARACTERS = 400;

/** A few words of each script, to see which the tokenizer knows. */
const SCRIPTS: readonly (readonly [name: string, pattern: RegExp, sample: string])[] = [
  ["Latin", /\p{Script=Latin}/gu, "the name of this one"],
  ["Greek", /\p{Script=Greek}/gu, "το όνομα αυτό είναι"],
  ["Cyrillic", /\p{Script=Cyrillic}/gu, "это имя одного из них"],
  ["Arabic", /\p{Script=Arabic}/gu, "هذا هو الاسم"],
  ["Hebrew", /\p{Script=Hebrew}/gu, "זה השם של אחד"],
  ["Devanagari", /\p{Script=Devanagari}/gu, "यह एक का नाम है"],
  ["Thai", /\p{Script=Thai}/gu, "นี่คือชื่อของมัน"],
  ["Chinese", /\p{Script=Han}/gu, "这是它的名字"],
  ["Japanese", /\p{Script=Hiragana}|\p{Script=Katakana}/gu, "これはその名前です"],
  ["Korean", /\p{Script=Hangul}/gu, "이것은 그 이름이다"],
];

interface Shares {
  tokens: number;
  unknown: number;
}

function look(tokenizer: Tokenizer, unknownId: number, text: string): Shares {
  const ids = tokenizer.encode(text, { special: false });
  return { tokens: ids.length, unknown: ids.filter((id) => id === unknownId).length };
}

/** What to say when the tokenizer does not know much of the passages; undefined when it does. */
export function describeUnknownTokens(
  passages: readonly Document[],
  tokenizer: Tokenizer,
  name: string,
): string | undefined {
  const unknownId = tokenizer.tokenId("[UNK]") ?? tokenizer.tokenId("<unk>");
  if (unknownId === undefined || passages.length === 0) return undefined;
  const step = Math.max(1, Math.floor(passages.length / SAMPLE));
  const sum: Shares = { tokens: 0, unknown: 0 };
  const sample: string[] = [];
  for (let i = 0; i < passages.length; i += step) {
    const whole = passages[i]?.page_content ?? "";
    const from = Math.max(0, Math.floor((whole.length - CHARACTERS) / 2));
    const text = whole.slice(from, from + CHARACTERS);
    const own = look(tokenizer, unknownId, text);
    sum.tokens += own.tokens;
    sum.unknown += own.unknown;
    if (own.unknown > 0) sample.push(text);
  }
  const share = sum.unknown / Math.max(1, sum.tokens);
  if (share <= MOST_UNKNOWN) return undefined;
  const known = SCRIPTS.filter(([, , words]) => look(tokenizer, unknownId, words).unknown === 0).map(
    ([script]) => script,
  );
  const text = sample.join("\n");
  const found = SCRIPTS.map(([script, pattern]) => ({ script, number: text.match(pattern)?.length ?? 0 }))
    .filter(({ script, number }) => number > 0 && !known.includes(script))
    .sort((a, b) => b.number - a.number)
    .map(({ script }) => script);
  return (
    `the tokenizer of ${name} does not know ${(100 * share).toFixed(1)} % of the passages' words` +
    `${found.length > 0 ? ` (they are in ${found.slice(0, 3).join(", ")} script)` : ""}; it knows ${known.join(", ") || "no script that was tried"}. ` +
    "A retriever with it cannot tell such passages apart: take a model for their language, such as intfloat/multilingual-e5-base."
  );
}
