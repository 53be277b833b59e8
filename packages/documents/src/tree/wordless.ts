import type { LeaveOut } from "../readers/reader.js";

/** A run of the characters of base64, hexadecimal and the like that is longer than any word, path or address. */
const WORDLESS_RUN = /[A-Za-z0-9+/=_%-]{256,}/g;
/** Inline data of an image or a font, in any of the places that take an address. */
const DATA_ADDRESS =
  /\bdata:[\w.+-]{1,60}\/[\w.+-]{1,60}(?:;[\w.+-]{1,60}=[\w.+-]{1,60}){0,4};base64,[A-Za-z0-9+/=%-]{64,}/g;
/** A line this long with nearly no space was written by a program for a program. */
const LONG_LINE = 1000;
const LEAST_SPACES = 0.04;

/** Takes out inline data and other runs without words (keys, hashes, encoded files). */
export function withoutWordlessRuns(text: string, leaveOut: LeaveOut, line?: number): string {
  if (text.length < 256) return text;
  const out =
    (kind: string, replacement: string): ((run: string) => string) =>
    (run) => {
      leaveOut(kind, run, line);
      return replacement;
    };
  return text
    .replace(DATA_ADDRESS, out("inline data", "data:,"))
    .replace(WORDLESS_RUN, out("runs of characters without words", ""));
}

/** Whether code has a line that no person reads: minified scripts and styles. */
export function isMinified(code: string): boolean {
  if (code.length < LONG_LINE) return false;
  return code.split("\n").some((line) => {
    if (line.length < LONG_LINE) return false;
    const spaces = line.length - line.replaceAll(" ", "").length;
    return spaces < line.length * LEAST_SPACES;
  });
}
