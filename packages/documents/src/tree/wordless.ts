import type { LeaveOut } from "../readers/reader.js";

/** A run of the characters of base64, hexadecimal and the like that is longer than any word, path or address. */
const RUN = 256;
/** Which of the first 128 characters these are. */
const ENCODING = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9+/=_%-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** Inline data of an image or a font, in any of the places that take an address. */
const DATA_ADDRESS =
  /\bdata:[\w.+-]{1,60}\/[\w.+-]{1,60}(?:;[\w.+-]{1,60}=[\w.+-]{1,60}){0,4};base64,[A-Za-z0-9+/=%-]{64,}/g;
/** A line this long with nearly no space was written by a program for a program. */
const LONG_LINE = 1000;
const LEAST_SPACES = 0.04;

/** The places of runs without words: start and end of each. A loop, since a pattern would try each start in a run anew. */
function wordlessRuns(text: string): [number, number][] {
  const runs: [number, number][] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    if (code < 128 && ENCODING[code] === 1) continue;
    if (i - start >= RUN) runs.push([start, i]);
    start = i + 1;
  }
  return runs;
}

/** Takes out inline data and other runs without words (keys, hashes, encoded files). */
export function withoutWordlessRuns(text: string, leaveOut: LeaveOut, line?: number): string {
  if (text.length < RUN) return text;
  const plain = text.replace(DATA_ADDRESS, (address) => {
    leaveOut("inline data", address, line);
    return "data:,";
  });
  let made = "";
  let from = 0;
  for (const [start, end] of wordlessRuns(plain)) {
    // A rule of hyphens or signs is no data.
    if (/^([-=_+])\1*$/.test(plain.slice(start, end))) continue;
    leaveOut("runs of characters without words", plain.slice(start, end), line);
    made += plain.slice(from, start);
    from = end;
  }
  return from === 0 ? plain : made + plain.slice(from);
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
