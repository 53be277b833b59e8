import { ApartError } from "../../apart/apart.js";
import { readBytes } from "../../bytes/read-bytes.js";
import { parseHtml } from "../html/parse-html.js";
import { htmlToMdast } from "../html/to-mdast.js";
import type { Reader } from "../reader.js";
import { UnreadableFileError } from "../unreadable-file-error.js";
import { docxToHtml } from "./docx-to-html.js";
import { resolveNotes } from "./notes.js";

/** Pictures make documents large. */
const MOST_BYTES = 256 * 2 ** 20;
/** Of a compound file: Word before 2007, and encrypted documents of later versions. */
const COMPOUND = [0xd0, 0xcf, 0x11, 0xe0];

export const docx: Reader = {
  name: "DOCX",
  extensions: [".docx", ".docm"],
  async *read({ path }, context) {
    const bytes = await readBytes(path, MOST_BYTES);
    if (COMPOUND.every((byte, i) => bytes[i] === byte)) {
      throw new UnreadableFileError(
        `${path}: encrypted, or a document of Word before 2007. Save it without a password as .docx.`,
      );
    }
    let html = "";
    try {
      for await (const part of docxToHtml(bytes, { path, turn: context.turn })) {
        if (part.type === "bad") throw new UnreadableFileError(`${path}: ${part.why}. Save it again as .docx.`);
        if (part.type === "html") html = part.html;
        else context.leaveOut(part.kind, part.text);
      }
    } catch (cause) {
      if (!(cause instanceof ApartError)) throw cause;
      throw new UnreadableFileError(
        `${path}: not a DOCX file, or a damaged one (${cause.message.split("\n")[0]}). Save it again as .docx.`,
        { cause },
      );
    }
    await context.turn();
    const tree = htmlToMdast(parseHtml(html, path, true));
    resolveNotes(tree);
    yield { tree, metadata: {}, withoutLines: true };
  },
};
