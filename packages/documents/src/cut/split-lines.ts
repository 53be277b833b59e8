import { indentOf, type Line, linesOf } from "../tree/lines.js";

/** A line that was broken to fit an editor: prose of these many columns. */
const WRAPPED_COLUMNS = { least: 50, most: 130 } as const;

/** A line of its own to a reader (a list without marks, an address, a question), from `start` to `end`. */
export interface OwnLine {
  start: number;
  end: number;
  /** Reads like a heading: short, no full stop, with prose after it. */
  heading: boolean;
}

function endsSentence(line: string): boolean {
  return /[.!?:;…。！？]["'”’)\]*_`]*\s*$/.test(line);
}

/** Whether the break after `line` only wraps a sentence that goes on in `next`. */
function isWrapped(line: string, next: string, longest: number): boolean {
  if (endsSentence(line)) return false;
  if (/^\s*[\p{Ll}(&,]/u.test(next)) return true;
  return longest <= WRAPPED_COLUMNS.most && line.trim().length >= WRAPPED_COLUMNS.least;
}

function looksLikeHeading(line: string, next: string | undefined): boolean {
  const words = line.trim();
  if (words.length > 90) return false;
  if (/^(\*\*|__)[^*_]+(\*\*|__):?$/.test(words)) return true;
  if (next === undefined) return false;
  if (!/^[\p{Lu}\p{N}]/u.test(words)) return false;
  if (words.endsWith("?")) return true;
  return !/[.!:;,…]$/.test(words) && words.length <= 60 && next.length > 60 && /[.:!?]["”)]*\s*$/.test(next);
}

/**
 * Cuts a paragraph at the line breaks that a reader sees as such; breaks that only wrap a sentence are passed over.
 *
 * @param breaks - offsets after breaks that the author set
 */
export function splitLines(text: string, from: number, to: number, breaks: readonly number[] = []): OwnLine[] {
  const lines = linesOf(text, from, to);
  const set = new Set(breaks);
  const longest = lines.reduce((most, line) => Math.max(most, line.text.length), 0);
  const own: { first: Line; last: Line }[] = [];
  for (const line of lines) {
    const current = own.at(-1);
    const given = set.has(line.start + indentOf(line.text));
    if (current && !given && isWrapped(current.last.text, line.text, longest)) current.last = line;
    else own.push({ first: line, last: line });
  }
  return own.map(({ first, last }, i) => {
    const next = own[i + 1];
    const single = first === last;
    return {
      start: first.start,
      end: last.end,
      heading: single && looksLikeHeading(first.text, next && text.slice(next.first.start, next.last.end)),
    };
  });
}
