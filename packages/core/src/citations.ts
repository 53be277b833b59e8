/** A citation in a text: `[1]`, or `[1, 3]`. */
export interface Citation {
  /** Offsets of its brackets. */
  start: number;
  end: number;
  /** As they stand there, from 1: places of passages in a prompt, or of a row's gold passages. */
  numbers: number[];
}

const CITATION = /\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\](?!\()/g;
/** Fenced blocks, and words between backticks: brackets in code are its own. */
const CODE = /```[\s\S]*?(?:```|$)|`[^`\n]+`/g;

/** The citations of a text, in order; brackets in code and those of Markdown's links are none. */
export function findCitations(text: string): Citation[] {
  const code = [...text.matchAll(CODE)].map(({ index, 0: found }) => [index, index + found.length] as const);
  return [...text.matchAll(CITATION)].flatMap(({ index, 0: found, 1: numbers = "" }) =>
    code.some(([start, end]) => index >= start && index < end)
      ? []
      : [{ start: index, end: index + found.length, numbers: numbers.split(/[,;]/).map(Number) }],
  );
}

/** The text with every citation written anew; an empty one goes, with the space before it. */
function rewriteCitations(text: string, write: (citation: Citation) => string): string {
  let at = 0;
  let done = "";
  for (const citation of findCitations(text)) {
    const written = write(citation);
    const before = text.slice(at, citation.start);
    done += written === "" ? before.replace(/[^\S\n]+$/, "") : before + written;
    at = citation.end;
  }
  return at === 0 ? text : (done + text.slice(at)).trim();
}

/** The text without its citations. */
export function stripCitations(text: string): string {
  return rewriteCitations(text, () => "");
}

/**
 * The text with other numbers: `placeOf` gives each its place among other passages, from 1; a citation of a passage that has none goes. Several
 * are written apart and by place, `[1][3]`.
 */
export function renumberCitations(text: string, placeOf: (number: number) => number | undefined): string {
  return rewriteCitations(text, ({ numbers }) => {
    const places = new Set(numbers.flatMap((number) => placeOf(number) ?? []));
    return [...places]
      .sort((a, b) => a - b)
      .map((place) => `[${place}]`)
      .join("");
  });
}
