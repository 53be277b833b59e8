import { WITHOUT_SPACES } from "./scripts.js";
import { words } from "./words.js";

/** Length of a text as an editor counts it: pieces between spaces, and the words of a piece in a script without spaces. */
export function wordCount(text: string): number {
  return text
    .split(/\s+/)
    .reduce((count, piece) => count + (WITHOUT_SPACES.test(piece) ? words(piece).length : Number(piece !== "")), 0);
}
