const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Ends with a full stop that does not end a sentence: an abbreviation, an initial, a number of a list. */
const NOT_AN_END =
  /(?:^|[\s("'[])(?:e\.g|i\.e|etc|vs|cf|ca|approx|incl|resp|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Eq|Sec|Ch|Vol|pp?|Inc|Ltd|Co|\p{Lu}|\d{1,2})\.\s*$/u;

/** Opens what comes next; without a space before it, Unicode's rules leave it with the sentence before. Not those of Markdown. */
const OPENING_AT_END = /(?:(?![([{])[\p{Ps}\p{Pi}])+$/u;

/** Offsets at which a sentence begins, in a stretch of prose of any language; the first is `from`. Line breaks count as spaces. */
export function sentenceStarts(text: string, from = 0, to = text.length): number[] {
  // One character for one, so that offsets hold.
  const prose = text.slice(from, to).replace(/[\n\r\u2028\u2029\u0085]/g, " ");
  const starts: number[] = [];
  let before = "";
  for (const { segment, index } of segmenter.segment(prose)) {
    const opening = OPENING_AT_END.exec(before)?.[0] ?? "";
    if (index === 0 || (opening !== before && !NOT_AN_END.test(before))) {
      starts.push(from + index - opening.length);
      before = opening;
    }
    before += segment;
  }
  return starts;
}

/** The sentences of prose, verbatim, without the white space around them. */
export function sentences(text: string): string[] {
  const starts = sentenceStarts(text);
  return starts.map((start, i) => text.slice(start, starts[i + 1]).trim()).filter((sentence) => sentence !== "");
}
