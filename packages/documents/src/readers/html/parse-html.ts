import type { Root } from "hast";
import { Parser } from "parse5";
import { UnreadableFileError } from "../unreadable-file-error.js";
import { type HastMap, hastAdapter } from "./hast-adapter.js";

/** Elements within one another beyond this many are a mistake or an attack; browsers stop at 512. */
const MOST_DEPTH = 512;
/** What the parser takes for the worst text of this length is not noticed. */
const HARMLESS = 16_384;
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/i;
/** Formatting elements that are closed in the wrong order are opened again and again, so their number is bounded. */
const FORMATTING = /^(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)$/i;
const MOST_OPEN_FORMATTING = 64;

/**
 * Depth that the tags of a text can reach, counted before parsing: the parser takes time that grows with the square of the depth,
 * and with the cube where tags are closed in the wrong order.
 */
function checkDepth(html: string, path: string): void {
  if (html.length < HARMLESS) return;
  const open: string[] = [];
  let formatting = 0;
  for (const [, slash, name = ""] of html.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)/g)) {
    if (VOID.test(name)) continue;
    const tag = name.toLowerCase();
    if (slash) {
      const at = open.lastIndexOf(tag);
      if (at < 0 || at < open.length - MOST_OPEN_FORMATTING) continue;
      for (const closed of open.splice(at)) if (FORMATTING.test(closed)) formatting--;
      continue;
    }
    // These close the one before them.
    if (/^(?:p|li|dt|dd|tr|td|th|option)$/.test(tag) && open.at(-1) === tag) open.pop();
    open.push(tag);
    if (FORMATTING.test(tag)) formatting++;
    if (open.length > MOST_DEPTH * 4 || formatting > MOST_DEPTH) {
      throw new UnreadableFileError(
        `${path}: its tags are nested more than ${MOST_DEPTH} deep, or are never closed; no page that a person reads is. Repair or leave out the file.`,
      );
    }
  }
}

/** Parses a page, or a part of one (`fragment`). */
export function parseHtml(html: string, path: string, fragment = false): Root {
  checkDepth(html, path);
  let parser: Parser<HastMap> | undefined;
  const treeAdapter = hastAdapter(() => parser?.tokenizer.preprocessor.line ?? 1);
  const options = { treeAdapter, scriptingEnabled: false };
  parser = fragment ? Parser.getFragmentParser<HastMap>(null, options) : new Parser<HastMap>(options);
  parser.tokenizer.write(html, true);
  return fragment ? parser.getFragment() : parser.document;
}
