const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Ends with a full stop that does not end a sentence: an abbreviation, an initial, a number of a list. */
const NOT_AN_END =
  /(?:^|[\s("'[])(?:e\.g|i\.e|etc|vs|cf|ca|approx|incl|resp|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Eq|Sec|Ch|Vol|pp?|Inc|Ltd|Co|[A-Z]|\d{1,2})\.\s*$/;

/** Offsets at which a sentence begins, in a stretch of prose; the first is `from`. Line breaks count as spaces. */
export function sentenceStarts(text: string, from: number, to: number): number[] {
  // One character for one, so that offsets hold.
  const prose = text.slice(from, to).replace(/[\n\r\u2028\u2029\u0085]/g, " ");
  const starts: number[] = [];
  let before = "";
  for (const { segment, index } of segmenter.segment(prose)) {
    if (index === 0 || !NOT_AN_END.test(before)) {
      starts.push(from + index);
      before = "";
    }
    before += segment;
  }
  return starts;
}
