const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|incl|resp|No|Fig|Dr|Mr|Ms|St|Inc|Ltd|U\.S)\.$/i;

/** Cuts one line of prose into sentences, verbatim. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const match of text.matchAll(/[.!?]["')\]*_`]*\s+(?=["'(*_[`]*[\p{Lu}\d`])/gu)) {
    const end = match.index + match[0].length;
    const sentence = text.slice(start, end).trim();
    if (ABBREVIATION.test(sentence)) continue;
    sentences.push(sentence);
    start = end;
  }
  const rest = text.slice(start).trim();
  if (rest !== "") sentences.push(rest);
  return sentences;
}

export function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** Longest answer, in words. */
const MAX_WORDS = 42;

/** Prose that reads well by itself: no links, HTML or code left open, a full stop at the end, mostly letters. */
export function isReadable(sentence: string, minimumWords = 5): boolean {
  const words = wordCount(sentence);
  if (words < minimumWords || words > MAX_WORDS) return false;
  if (/\]\(|\]\[|\[[^\]]*\]|!\[|https?:|<\/?[a-z][^>]*>|\|\s|[{}]|=>|\*\*|&[a-z]+;|[→✅❌©]|\\/i.test(sentence))
    return false;
  if (/\p{Extended_Pictographic}/u.test(sentence.replace(/[\d#*©®™]/g, ""))) return false;
  if (!/[.!]["')*_]*$/.test(sentence) || /\.\.\.$/.test(sentence)) return false;
  if ((sentence.match(/`/g) ?? []).length % 2 !== 0) return false;
  if ((sentence.match(/\(/g) ?? []).length !== (sentence.match(/\)/g) ?? []).length) return false;
  if (!/^["'(*_]*[\p{Lu}`\d]/u.test(sentence)) return false;
  const letters = (sentence.match(/[\p{L}\s]/gu) ?? []).length;
  return letters / sentence.length > 0.75;
}
