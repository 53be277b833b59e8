import { ApartError } from "../../apart/apart.js";
import { readText } from "../../bytes/read-text.js";
import { parseHtml } from "../html/parse-html.js";
import { tidy } from "../html/tidy.js";
import { htmlToMdast } from "../html/to-mdast.js";
import type { ReadContext, Reader } from "../reader.js";
import { UnreadableFileError } from "../unreadable-file-error.js";
import { antoraAttributes, antoraPath } from "./antora.js";
import { type Answer, asciidocToHtml, type Wanted } from "./asciidoc-to-html.js";
import { selectLines } from "./select-lines.js";
import { bodyOf, resolveFootnotes, untangleTables } from "./tidy-asciidoctor.js";

const MOST_BYTES = 16 * 2 ** 20;
/** A text that takes itself in twice doubles at each level. */
const MOST_INCLUDES = 1000;

/** Answers the include directives of a file. */
function includer(path: string, context: ReadContext): (wanted: Wanted) => Promise<Answer> {
  let includes = 0;
  return async ({ target, base, line, deep, attributes }) => {
    // Of the line after the directive, and only in the page's own text.
    const at = base === undefined ? Math.max(1, line - 1) : undefined;
    if (++includes > MOST_INCLUDES) {
      throw new UnreadableFileError(
        `${path}: takes in more than ${MOST_INCLUDES} files. Repair its include directives.`,
      );
    }
    if (deep) {
      context.warn(`files that take in one another are too deep at ${target}; the rest is left out.`, at);
      return undefined;
    }
    const file = await context.include(antoraPath(target, base ?? path) ?? target, base);
    if (file !== undefined) {
      return { path: file.path, text: selectLines(file.text, attributes.lines, attributes.tags ?? attributes.tag) };
    }
    if (!("optional-option" in attributes)) {
      context.warn(`takes in ${target}, which is not there; its text is missing.`, at);
    }
    return undefined;
  };
}

/** AsciiDoc by asciidoctor.js to HTML, and from there to the tree. Lines of the source are not known of HTML. */
export const asciidoc: Reader = {
  name: "AsciiDoc",
  extensions: [".adoc", ".asciidoc", ".asc"],
  async *read({ path }, context) {
    const text = await readText(path, context, { mostBytes: MOST_BYTES });
    let html: string;
    try {
      const attributes = await antoraAttributes(path, context);
      html = await asciidocToHtml(text, attributes, { path, turn: context.turn, answer: includer(path, context) });
    } catch (cause) {
      if (!(cause instanceof ApartError)) throw cause;
      throw new UnreadableFileError(`${path}: not AsciiDoc that can be read (${cause.message.split("\n")[0]}).`, {
        cause,
      });
    }
    await context.turn();
    const main = bodyOf(parseHtml(html, path, true));
    untangleTables(main);
    tidy(main, { leaveOut: context.leaveOut, named: true, controlled: new Set() });
    const tree = htmlToMdast(main);
    resolveFootnotes(tree);
    yield { tree, metadata: {}, withoutLines: true };
  },
};
